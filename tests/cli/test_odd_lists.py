"""Odd lists: `scrub`, `validate` and `suppression import` read each of them alike, or refuse it in the same words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

from bouncemilter.cli import main
from tests.cli.conftest import Home

JAN, OLA, EWA = "jan@klient.test", "ola@klient.test", "ewa@klient.test"
OWN = "address;scope;scope_value;cause;created_at\r\n" + f"{JAN};global;;unsubscribe;2025-01-01T00:00:00+00:00\r\n"

LISTS: tuple[tuple[str, bytes, set[str]], ...] = (
    ("Excel's line with the delimiter", b"sep=;\r\n" + OWN.encode(), {JAN}),
    ("blank lines before the header", b"\r\n \r\n" + OWN.encode(), {JAN}),
    ("several addresses in a cell", f'email,name\n"{JAN}; {OLA}",x\n{EWA},y\n'.encode(), {JAN, OLA, EWA}),
    ("several addresses in a line", f"{JAN} {OLA}\n{EWA}\n".encode(), {JAN, OLA, EWA}),
    ("line ends of an old Macintosh", f"email\r{JAN}\r{OLA}\r".encode(), {JAN, OLA}),
    ("a quoted name", f'email,name\n"Jan N" <{JAN}>,x\n"Ola, N <{OLA}>","y ""z"""\n'.encode(), {JAN, OLA}),
    ("a cell over two lines", f'name,email\n"Jan\nN",{JAN}\nx,{OLA}\n'.encode(), {JAN, OLA}),
    (
        "one line of windows-1250",
        f"name;email\nŻółć źródło;{JAN}\n".encode() + b"b\xb3ad;ola@klient.test\n",
        {JAN, OLA},
    ),
    ("windows-1250", f"imię;email\nŁąka;{JAN}\nGęś;{OLA}\n".encode("windows-1250"), {JAN, OLA}),
    ("UTF-16", f"email;x\n{JAN};ą\n".encode("utf-16"), {JAN}),
    ("mailto and quotes", f"mailto:{JAN}\n'{OLA}'\n".encode(), {JAN, OLA}),
    ("a mark twice", f"\ufeff\ufeffemail;x\n{JAN};1\n".encode(), {JAN}),
    ("a name for the column in Polish", f"Imię;Adres poczty\nJan;{JAN}\n".encode(), {JAN}),
    ("a space behind the delimiter", f"{JAN}, x\n{OLA}, y\n".encode(), {JAN, OLA}),
)
REFUSED: tuple[tuple[str, bytes, str], ...] = (
    ("two columns of addresses", f"id;email;contact_email\n1;{JAN};{OLA}\n".encode(), "several columns hold addresses"),
    ("addresses parted by commas", f"{JAN}, {OLA}\n".encode(), "several columns hold addresses"),
    ("no addresses", b"name,city\nJan,Lublin\n", "no column of e-mail addresses"),
    ("nothing", b"\xef\xbb\xbf \r\n", "empty: there is no list in it"),
    ("a zero octet", f"{JAN}\n{OLA}\0\n".encode(), "a binary file, no list (octet 31, line 2)"),
    ("an old workbook", b"\xd0\xcf\x11\xe0" + b"\0" * 99, "an old Excel workbook"),
    ("a compressed file", b"\x1f\x8b\x08", "compressed by gzip; unpack it first"),
    ("a quote never closed", f'email,name\n{JAN},"x\n{OLA},y\n'.encode(), "a quote is opened and never closed"),
    ("a hidden line end", f"email,x\n{JAN},1\n{OLA},2\r{EWA},3\n".encode(), "a line end that the other lines don't"),
)


def written(home: Home, content: bytes) -> Path:
    path = home.folder / "list.csv"
    path.write_bytes(content)
    return path


def validated(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["validate", "--no-dns", *arguments], catch_exceptions=False)


def all_read(home: Home, path: Path, wanted: set[str], *options: str) -> None:
    """Each command reads the same addresses: what is imported is taken out, all of it, and nothing is left over."""
    done = home.run("suppression", "import", str(path), *options, "--json")
    summary = json.loads(done.stdout)
    assert (done.exit_code, summary["added"], summary["rejected"]) == (0, len(wanted), 0)
    scrubbed = json.loads(home.run("scrub", str(path), *options, "--json", "--dry-run").stdout)
    assert (scrubbed["kept"], scrubbed["unread"], scrubbed["addresses"] > 0) == (0, 0, True)
    lines = validated(str(path), *options, "--json").stdout.splitlines()
    assert {json.loads(line)["address"] for line in lines} == wanted


@pytest.mark.parametrize(("content", "wanted"), [each[1:] for each in LISTS], ids=[each[0] for each in LISTS])
def test_read_alike(home: Home, content: bytes, wanted: set[str]) -> None:
    """However a list is written, all commands find the same addresses in it."""
    all_read(home, written(home, content), wanted)


@pytest.mark.parametrize(("content", "words"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED])
def test_refused_alike(home: Home, content: bytes, words: str) -> None:
    """What can't be read is refused by all commands with 65, the file's name and the same words."""
    path = written(home, content)
    commands = (home.run("scrub", str(path)), home.run("suppression", "import", str(path)), validated(str(path)))
    for done in commands:
        assert done.exit_code == 65
        assert str(path) in done.stderr
        assert words in done.stderr


@pytest.mark.parametrize(("column", "wanted"), [("contact_email", OLA), ("2", JAN)])
def test_column(home: Home, column: str, wanted: str) -> None:
    """The question which column is meant has one answer, `--column`, for all commands."""
    path = written(home, f"id;email;contact_email\n1;{JAN};{OLA}\n".encode())
    all_read(home, path, {wanted}, "--column", column)


def test_column_of_json(home: Home) -> None:
    """Of JSON the same question is asked, and the same option answers it."""
    path = written(home, json.dumps([{"email": JAN, "Contact_Email": OLA}]).encode())
    done = home.run("suppression", "import", str(path))
    assert (done.exit_code, "several columns hold addresses" in done.stderr) == (65, True)
    assert home.run("suppression", "import", str(path), "--column", "Contact_Email").exit_code == 0
    assert [each["address_key"] for each in home.objects("suppression", "list")] == [OLA]


def test_column_of_a_known_format(home: Home) -> None:
    """A format that says itself where the addresses stand takes no other column: a cause would be lost unsaid."""
    path = written(home, OWN.encode())
    done = home.run("suppression", "import", str(path), "--column", "1")
    assert (done.exit_code, "format csv says itself which column" in done.stderr) == (65, True)


def test_all_of_our_own_export_stays(home: Home) -> None:
    """Cause, scope and date of our own export come back, whatever Excel has put before it or made of it."""
    rows = [
        ("address", "scope", "scope_value", "cause", "created_at"),
        (JAN, "list", "news.klient.test", "unsubscribe", "2025-01-02T00:00:00+00:00"),
    ]
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(home.folder / "list.xlsx")
    text = "".join(";".join(row) + "\r\n" for row in rows)
    for path in (written(home, f"sep=;\r\n{text}".encode("utf-16")), home.folder / "list.xlsx"):
        summary = json.loads(home.run("suppression", "import", str(path), "--dry-run", "--json").stdout)
        assert (summary["causes"], summary["undated"]) == ({"unsubscribe": 1}, 0)
    home.run("suppression", "import", str(home.folder / "list.xlsx"))
    (found,) = home.objects("suppression", "list")
    assert (found["scope"], found["scope_value"], found["created_at"][:10]) == (
        "list",
        "news.klient.test",
        "2025-01-02",
    )


def test_workbook(home: Home) -> None:
    """An Excel workbook is read by all commands; a row that is no address is told by its number in the sheet."""
    book = openpyxl.Workbook()
    for row in (("Imię", "E-mail"), ("Jan", JAN), ("Ola", f"{OLA}, {EWA}")):
        book.active.append(row)
    path = home.folder / "list.xlsx"
    book.save(path)
    all_read(home, path, {JAN, OLA, EWA})
    assert home.run("suppression", "import", str(path), "--format", "plain").exit_code == 1
    book.active.append(("Adam", "brak"))
    book.save(path)
    done = home.run("suppression", "import", str(path))
    assert (done.exit_code, "row 4: not an e-mail address: brak" in done.stderr) == (1, True)

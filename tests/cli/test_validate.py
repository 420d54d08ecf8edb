"""`validate`: lists, a name server on loopback, files and exit codes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from bouncemilter.cli import main
from tests.rig.dns import NameServer

RECORDS: dict[tuple[str, str], list[str] | None] = {
    ("wp.pl", "MX"): ["10 mx.wp.pl."],
    ("mx.wp.pl", "A"): ["192.0.2.1"],
    ("null.pl", "MX"): ["0 ."],
    ("web.pl", "A"): ["192.0.2.2"],
    ("broken.pl", "MX"): None,
    ("yopmail.com", "MX"): ["10 mx.wp.pl."],
}
LIST = """E-mail;Imię
jan@wp.pl;Jan
JAN@WP.PL;Jan
ola@wp.pll;Ola
biuro@wp.pl;
x@null.pl;
x@web.pl;
x@broken.pl;
x@yopmail.com;
to nie adres;
;pusty
"""


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer(RECORDS) as found:
        yield found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "lista.csv"
    found.write_bytes(LIST.encode("windows-1250"))
    return found


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(main, ["validate", *arguments], catch_exceptions=False)
    assert all(char == "\n" or char.isprintable() for char in done.stdout + done.stderr), done.output
    return done


def test_each_address(path: Path, server: NameServer) -> None:
    """Each address gets a verdict with its reasons, and what is likely meant."""
    done = run(str(path), "--resolver", server.address, "--json")
    assert done.exit_code == 0
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["record"], each["verdict"], each["reasons"], each["suggestion"]) for each in found] == [
        (2, "ok", [], ""),
        (3, "ok", ["duplicate"], ""),
        (4, "invalid", ["domain_not_found", "typo"], "ola@wp.pl"),
        (5, "risky", ["role"], ""),
        (6, "invalid", ["null_mx"], ""),
        (7, "risky", ["no_mx"], ""),
        (8, "ok", ["not_checked"], ""),
        (9, "risky", ["disposable"], ""),
        (10, "invalid", ["syntax"], ""),
    ]
    assert server.asked.count(("wp.pl", "MX")) == 1


@pytest.mark.parametrize(
    ("options", "gone"),
    [
        ([], ["JAN@", "ola@", "x@null", "to nie"]),
        (["--strict"], ["JAN@", "ola@", "biuro@", "x@null", "x@web", "x@yop", "to nie"]),
    ],
)
def test_output(path: Path, server: NameServer, options: list[str], gone: list[str]) -> None:
    """The list comes out without the invalid and the doubled, if asked for without the risky; all else as it was."""
    out, rejected = path.with_name("out.csv"), path.with_name("rejected.csv")
    done = run(str(path), "--resolver", server.address, "--output", str(out), "--rejected", str(rejected), *options)
    assert done.exit_code == 0
    lines = LIST.splitlines(keepends=True)
    wanted = [line for line in lines if not line.startswith(tuple(gone))]
    assert out.read_bytes() == "".join(wanted).encode("windows-1250")
    header, *rows = rejected.read_text().splitlines()
    assert header == "record,address,verdict,reasons,suggestion,meaning"
    assert len(rows) == len(gone) == len(lines) - len(wanted)
    assert rows[1].startswith("4,ola@wp.pll,invalid,domain_not_found typo,ola@wp.pl,")


def test_table(path: Path, server: NameServer) -> None:
    """People get the sums, the reasons in their language, and what was likely meant."""
    shown = run(str(path), "--resolver", server.address, "--lang", "pl").stdout
    assert "9 addresses: 3 ok, 3 risky, 3 invalid" in shown
    assert "domena ogłasza, że nie przyjmuje poczty" in shown
    assert [line.split() for line in shown.splitlines()][-1] == ["ola@wp.pll", "ola@wp.pl"]


def test_without_dns(path: Path) -> None:
    """Without DNS nothing is asked, and nothing is said of domains."""
    found = [json.loads(line) for line in run(str(path), "--no-dns", "--json").stdout.splitlines()]
    assert [each["verdict"] for each in found] == ["ok", "ok", "risky", "risky", "ok", "ok", "ok", "risky", "invalid"]


def test_dead_resolver(path: Path, server: NameServer) -> None:
    """A resolver that answers nothing is an error: no address is called checked, and no file is written."""
    server.silent = True
    out = path.with_name("out.csv")
    done = run(str(path), "--resolver", server.address, "--timeout", "0.2", "--output", str(out))
    assert (done.exit_code, out.exists()) == (69, False)
    assert "DNS answers nothing" in done.stderr


def test_exit_code(path: Path, server: NameServer) -> None:
    """For scripts: 1 where anything is invalid, if asked for."""
    arguments = (str(path), "--resolver", server.address, "--exit-code")
    assert run(*arguments).exit_code == 1
    path.write_text("jan@wp.pl\n")
    assert run(*arguments).exit_code == 0


def test_own_disposable_domains(path: Path) -> None:
    """The operator's file of throw-away domains counts; a bad one is an error with its line."""
    path.write_text("x@smieci.firma.pl\n")
    domains = path.with_name("d.txt")
    domains.write_text("firma.pl\n")
    assert json.loads(run(str(path), "--no-dns", "--json", "--disposable", str(domains)).stdout)["reasons"] == [
        "disposable"
    ]
    domains.write_text("?\n")
    done = run(str(path), "--no-dns", "--disposable", str(domains))
    assert (done.exit_code, "line 1" in done.stderr) == (65, True)
    assert run(str(path), "--no-dns", "--disposable", str(path.with_name("none"))).exit_code == 74


def test_workbook(path: Path) -> None:
    """A workbook is checked and written as a workbook."""
    book, out = path.with_name("l.xlsx"), path.with_name("out.xlsx")
    made = openpyxl.Workbook()
    for row in (["email"], ["jan@wp.pl"], ["nic"], ["jan@wp.pl"]):
        made.active.append(row)
    made.save(book)
    assert run(str(book), "--no-dns", "--output", str(out)).exit_code == 0
    sheet = openpyxl.load_workbook(io.BytesIO(out.read_bytes())).active
    assert [row[0].value for row in sheet.iter_rows()] == ["email", "jan@wp.pl"]


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [(b"", 65, "empty"), (b"\x00" * 99, 65, "binary"), (b"a;b\n1;2\n", 65, "no column"), (None, 74, "No such file")],
)
def test_bad_lists(path: Path, content: bytes | None, code: int, words: str) -> None:
    """A list that can't be used gives one line with its name."""
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    done = run(str(path), "--no-dns")
    assert (done.exit_code, words in done.stderr, str(path) in done.stderr) == (code, True, True)


def test_usage(path: Path) -> None:
    """The list itself is no output, and a resolver has an address."""
    assert run(str(path), "--output", str(path)).exit_code == 2
    assert run(str(path), "--output", "x", "--rejected", "x").exit_code == 2
    assert run(str(path), "--resolver", "dns.example.net").exit_code == 2


def test_no_questions_to_mail_servers() -> None:
    """The help says why no mail server is asked."""
    assert "No mail server is asked whether a mailbox exists" in run("--help").stdout


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("email\njan@wp.pl; jan@WP.pl\n", "email\njan@wp.pl; jan@WP.pl\n"),
        ("email\njan@wp.pl\njan@wp.pl, ola@wp.pl\n", "email\njan@wp.pl\njan@wp.pl, ola@wp.pl\n"),
        ("email\njan@wp.pl, ola@wp.test\njan@wp.pl\n", "email\njan@wp.pl\n"),
        ("email\njan@wp.pl\nola@op.pl\njan@wp.pl; ola@op.pl\n", "email\njan@wp.pl\nola@op.pl\n"),
        ("email\njan@wp.pl\u200b\njan@wp.pl\n", "email\njan@wp.pl\n"),
    ],
)
def test_nobody_lost(path: Path, content: str, wanted: str) -> None:
    """Leaving out duplicates and invalid addresses leaves every good address that is not beside a bad one."""
    path.write_text(content)
    out = path.with_name("out.csv")
    assert run(str(path), "--no-dns", "--output", str(out)).exit_code == 0
    assert out.read_text() == wanted

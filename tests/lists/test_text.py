"""Lists that are texts: found out about, and copied octet for octet."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncemilter.lists import ListError, ListOptions, open_list

WINDOWS, ISO, LITTLE, BIG = "windows-1250", "iso-8859-2", "utf-16-le", "utf-16-be"


DEFAULT = ListOptions()


def read(path: Path, wish: ListOptions = DEFAULT) -> list[tuple[int, str]]:
    """Record number and address cell of each record."""
    found: list[tuple[int, str]] = []
    open_list(path, wish).copy(None, lambda record, cell: found.append((record, cell)) is None, lambda _: None)
    return found


def copied(path: Path, keep: Callable[[int, str], bool], wish: ListOptions = DEFAULT) -> bytes:
    """What stays of a list."""
    out = io.BytesIO()
    open_list(path, wish).copy(out, keep, lambda _: None)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lista.csv"


@pytest.mark.parametrize(
    ("content", "form", "delimiter", "column", "cells"),
    [
        (b"jan@wp.pl\nola@op.pl\n", "txt", "", 1, ["jan@wp.pl", "ola@op.pl"]),
        (b"jan@wp.pl", "txt", "", 1, ["jan@wp.pl"]),
        (b"email\njan@wp.pl\r\nola@op.pl", "txt", "", 1, ["jan@wp.pl", "ola@op.pl"]),
        (b"id,e-mail,name\n1,jan@wp.pl,Jan\n", "csv", ",", 2, ["jan@wp.pl"]),
        (b"Jan;jan@wp.pl;1,5\nOla;ola@op.pl;2,5\n", "csv", ";", 2, ["jan@wp.pl", "ola@op.pl"]),
        (b"name\tmail\nJan\tjan@wp.pl\n", "tsv", "\t", 2, ["jan@wp.pl"]),
        (b"1|jan@wp.pl\n2|ola@op.pl\n", "csv", "|", 2, ["jan@wp.pl", "ola@op.pl"]),
        (b'sep=;\nname;email\n"Now;ak";jan@wp.pl\n', "csv", ";", 2, ["jan@wp.pl"]),
        (b'"sep=;"\r\nname;email\r\nx;jan@wp.pl\r\n', "csv", ";", 2, ["jan@wp.pl"]),
        (b'"jan@wp.pl"\n"ola@op.pl"\n', "txt", "", 1, ["jan@wp.pl", "ola@op.pl"]),
        (b'"Nowak, Jan","jan@wp.pl"\n"a ""b""","ola@op.pl"\n', "csv", ",", 2, ["jan@wp.pl", "ola@op.pl"]),
        (b'"line one\nline two",jan@wp.pl\nx,ola@op.pl\n', "csv", ",", 2, ["jan@wp.pl", "ola@op.pl"]),
        (b"a,jan@wp.pl\rb,ola@op.pl\r", "csv", ",", 2, ["jan@wp.pl", "ola@op.pl"]),
        (b'5" pipe,jan@wp.pl\n6" pipe,ola@op.pl\n', "csv", ",", 2, ["jan@wp.pl", "ola@op.pl"]),
        (b"x,jan@wp.pl\nshort\n\ny,ola@op.pl", "csv", ",", 2, ["jan@wp.pl", "", "", "ola@op.pl"]),
        (b"Jan Nowak <jan@wp.pl>\n", "txt", "", 1, ["Jan Nowak <jan@wp.pl>"]),
    ],
)
def test_layout(file: Path, content: bytes, form: str, delimiter: str, column: int, cells: list[str]) -> None:
    """Form, delimiter and column are found out, and the cells are read without their quotes."""
    file.write_bytes(content)
    found = open_list(file)
    assert (found.layout.format, found.layout.delimiter, found.layout.column) == (form, delimiter, column)
    assert [cell for _, cell in read(file)] == cells


@pytest.mark.parametrize(
    ("codec", "mark", "name"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        (LITTLE, b"\xff\xfe", LITTLE),
        (BIG, b"\xfe\xff", BIG),
        (LITTLE, b"", LITTLE),
        (BIG, b"", BIG),
        (WINDOWS, b"", WINDOWS),
        (ISO, b"", ISO),
    ],
)
def test_encodings(file: Path, codec: str, mark: bytes, name: str) -> None:
    """Each encoding is told by the octets, kept with its mark and line ends, and read where an address is no ASCII."""
    lines = ["imię;adres\r\n", "Śliwka;ś@żółw.pl\r\n", "Źdźbło;jan@wp.pl\r\n", "Ąę;ola@op.pl"]
    file.write_bytes(mark + "".join(lines).encode(codec))
    assert open_list(file).layout.encoding == name
    assert read(file) == [(2, "ś@żółw.pl"), (3, "jan@wp.pl"), (4, "ola@op.pl")]
    wanted = mark + "".join(lines[:2] + lines[3:]).encode(codec)
    assert copied(file, lambda _, cell: cell != "jan@wp.pl") == wanted


def test_mark_stays(file: Path) -> None:
    """The mark stays where the first record goes."""
    file.write_bytes(b"\xef\xbb\xbfjan@wp.pl\nola@op.pl\n")
    assert copied(file, lambda record, _: record != 1) == b"\xef\xbb\xbfola@op.pl\n"


def test_nothing_but_whole_records_goes(file: Path) -> None:
    """A record over several lines goes as a whole; mixed line ends, blank lines and quoting of the others stay."""
    file.write_bytes(b'a,"x"\r\n"q\nr",jan@wp.pl\n\n b ,"ola@op.pl"\r\n"","k@x.pl",rest\n')
    assert copied(file, lambda _, cell: cell != "jan@wp.pl") == b'a,"x"\r\n\n b ,"ola@op.pl"\r\n"","k@x.pl",rest\n'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "binary"),
        (b"jan@wp.pl\n" * 3 + b"\x00ola@op.pl", "binary file, no list (octet 30, line 4)"),
        (bytes(range(1, 9)) * 40, "binary"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 500, ".xls"),
        (b"PK\x03\x04 and more", "no .xlsx workbook"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\xff\xfea\x00b", "odd number of octets (5)"),
        (b"imi\xea;nazwisko\nJan;Nowak\n", "no column of e-mail addresses in the first 1 records (as "),
        (b'a,jan@wp.pl\nb,ola@op.pl\n"c,k@x.pl\nd,e@x.pl\n', "record 3: a quote is opened and never closed"),
        (
            b"email,copy\njan@wp.pl,ola@op.pl\n",
            "several columns hold addresses: 1 email, 2 copy; choose one by --column",
        ),
    ],
)
def test_faults(file: Path, content: bytes, words: str) -> None:
    """What is no list is refused with the file's name, and words that say what it is and where."""
    file.write_bytes(content)
    with pytest.raises(ListError) as error:
        read(file)
    assert str(file) in str(error.value)
    assert words in str(error.value)


def test_fault_far_behind(file: Path) -> None:
    """A quote that is never closed, a long way behind what is looked at first, is told with its record."""
    file.write_bytes(b"x,jan@wp.pl\n" * 60_000 + b'"y,ola@op.pl\n' + b"z,k@x.pl\n" * 1000)
    with pytest.raises(ListError, match="record 60001: a quote is opened and never closed"):
        read(file)


def test_endless_record(file: Path) -> None:
    """A quote does not take in more than a megabyte."""
    file.write_bytes(b"x,jan@wp.pl\n" * 30_000 + b'"y,ola@op.pl\n' + b"z,k@x.pl\n" * 200_000)
    with pytest.raises(ListError, match="record 30001: a quote is opened and not closed within"):
        read(file)


def test_folder_and_device(tmp_path: Path) -> None:
    """A folder or a device is no list."""
    for path in (tmp_path, Path("/dev/null")):
        with pytest.raises(ListError, match=r"folder|no plain file"):
            open_list(path)


@pytest.mark.parametrize(("column", "wanted"), [("copy", "ola@op.pl"), ("COPY", "ola@op.pl"), ("1", "jan@wp.pl")])
def test_column(file: Path, column: str, wanted: str) -> None:
    """The operator chooses a column by its name, in any case, or by its number."""
    file.write_bytes(b"email,copy\njan@wp.pl,ola@op.pl\n")
    assert read(file, ListOptions(column=column)) == [(2, wanted)]


@pytest.mark.parametrize(
    ("column", "words"),
    [("phone", "no column phone (there are: 1 email, 2 email)"), ("email", "several columns"), ("3", "no column 3")],
)
def test_no_such_column(file: Path, column: str, words: str) -> None:
    """A column that is not there, or there twice, is an error that names those that are."""
    file.write_bytes(b"email,email\njan@wp.pl,ola@op.pl\n")
    with pytest.raises(ListError) as error:
        open_list(file, ListOptions(column=column))
    assert words in str(error.value)


def test_odd_names(file: Path) -> None:
    """An error that names columns can be printed, whatever they are called."""
    file.write_bytes(("a\u00a0b\u2003,\ue000," + "x" * 999 + "\n1,2,3\n").encode())
    with pytest.raises(ListError) as error:
        open_list(file)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 400


def test_header(file: Path) -> None:
    """The operator says whether there is a header where the content does not."""
    file.write_bytes(b"jan(at)wp.pl\nola@op.pl\n")
    assert [record for record, _ in read(file)] == [1, 2]
    assert [record for record, _ in read(file, ListOptions(header=True))] == [2]


def test_named_column_with_rubbish(file: Path) -> None:
    """A column whose name says so is taken though most of it is rubbish."""
    file.write_bytes(b"phone,E-mail\n1,brak\n2,-\n3,jan@wp.pl\n")
    assert [cell for _, cell in read(file)] == ["brak", "-", "jan@wp.pl"]


def test_wished_encoding(file: Path) -> None:
    """The operator's encoding overrules what is found out."""
    file.write_bytes("imię,email\nŁukasz,jan@wp.pl\n".encode(WINDOWS))
    assert open_list(file, ListOptions(encoding=ISO)).layout.encoding == ISO


_CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs", "Cc"))
    | st.sampled_from('"\n\r,;\t'),
    max_size=8,
)
_ROWS = st.lists(st.lists(_CELLS, min_size=1, max_size=4), max_size=8)


@given(
    _ROWS, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.sampled_from(["utf-8", LITTLE])
)
@settings(max_examples=150)
def test_whole_copy(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str, end: str, last: bool, codec: str
) -> None:
    """Whatever a list holds, a copy of all of it is equal octet for octet, or the list is refused."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in rows]
    lines = ["x@example.pl", *(delimiter.join(["ola@wp.pl", *row]) for row in quoted)]
    mark = "\ufeff" if codec == LITTLE else ""
    path.write_bytes((mark + end.join(lines) + end * last).encode(codec))
    assert copied(path, lambda *_: True, ListOptions(column="1")) == path.read_bytes()


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_octets(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Any file is copied as it is or refused, and nothing else happens."""
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(content)
    with contextlib.suppress(ListError):
        assert copied(path, lambda *_: True, ListOptions(column="1")) == content


@pytest.mark.parametrize("form", ["{}\n", "{};x\n", "x;{}\n", '"x";{}\n', '"x\ny";{};z\n'])
@pytest.mark.parametrize("cell", ["jan@wp.pl\u00a0", "jan@wp.pl\u0085", "\u00a0jan@wp.pl", " jan@wp.pl\t"])
def test_blanks_around(file: Path, form: str, cell: str) -> None:
    """Blanks of any kind around an address are taken off as letters, not as octets of UTF-8."""
    file.write_bytes((form.format(cell) + form.format("ś@żółw.pl")).encode())
    assert [cell for _, cell in read(file)] == ["jan@wp.pl", "ś@żółw.pl"]


def test_mark_in_header(file: Path) -> None:
    """A mark that stands there twice is no part of the column's name."""
    file.write_bytes("\ufeff\ufeffemail;x\njan@wp.pl;1\n".encode())
    assert open_list(file, ListOptions(column="email")).layout.columns == ("email", "x")


@pytest.mark.parametrize("form", ["{}\n{}\r{}\n", "{};1\n{};2\r{};3\n", '"{}";1\r\n"{}";2\r"{}";3\r\n'])
def test_hidden_record(file: Path, form: str) -> None:
    """A line end that the other lines don't have hides no address behind it: an error with its record."""
    file.write_text(form.format("a@wp.pl", "b@wp.pl", "c@wp.pl"), newline="")
    with pytest.raises(ListError, match="record 2: a line end that the other lines don't have"):
        read(file, ListOptions(column="1"))


def test_carriage_returns_that_hide_nothing(file: Path) -> None:
    """Within quotes, without an address behind it, or doubled, a carriage return is left alone."""
    content = b'a@wp.pl,"x\ry@z.pl"\nb@wp.pl,x\ry\nc@wp.pl,x\r\r\n'
    file.write_bytes(content)
    assert copied(file, lambda _, cell: cell == "c@wp.pl", ListOptions(column="1")) == b"c@wp.pl,x\r\r\n"

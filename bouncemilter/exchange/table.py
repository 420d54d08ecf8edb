"""From the octets of a file to rows: CSV with any delimiter, JSON, JSON lines, and plain lines."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bouncemilter import address, text
from bouncemilter.exchange.record import Bad, ListError, Record, fold

LARGEST: Final = 1024 * 1024 * 1024
"""Octets of a file: some ten million rows. It is held in memory."""
CELL: Final = 2 * 1024 * 1024
"""Characters of one cell. More is a quotation mark that nobody closes."""
COLUMNS: Final = 1000
_MAGIC: Final = {
    b"PK\x03\x04": "an XLSX or ZIP file; save it as CSV, or unpack it and import what is in it, file by file",
    b"\xd0\xcf\x11\xe0": "an old Excel file; save it as CSV",
    b"\x1f\x8b": "a gzip file; unpack it first",
    b"%PDF": "a PDF file",
    b"SQLite format 3": "a database",
    b"\x89PNG": "a picture",
    b"\x7fELF": "a program",
}
_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_C1: Final = re.compile(rb"[\x80-\x9f]")
_LATIN_2_ONLY: Final = re.compile(rb"[\xa1\xa6\xac\xb1\xb6\xbc]")
_DELIMITERS: Final = ",;\t|"
_SPACE: Final = re.compile(r"\s*")
_LISTS: Final = ("suppresseddestinationsummaries", "suppresseddestination", "items", "suppressions", "results", "data")
"""Under which keys APIs give their lists."""
_DEPTH: Final = 3
"""How deep they lie: listmonk's in `data`, `results`."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file as rows: what each is called (`line` or `item`), its number, and its text by column."""

    columns: frozenset[str]
    """Folded; of JSON those of the first row. Empty for plain lines."""
    unit: str
    rows: Iterator[tuple[int, Record | Bad]]
    """ListError where the file is broken further down."""
    is_json: bool = False
    partial: bool = False
    """The file says itself that it is one page of many."""


def read(data: bytes) -> Table:
    """The rows of a file. ListError where it is no text, or holds nothing."""
    content = decode(data)
    start = content[:4096].lstrip()
    if not content.strip():
        raise ListError("the file is empty")
    if start.startswith(("[", "{")):
        return _json(content)
    first = _first_line(content)
    if first.lstrip().startswith("#") or ("@" in first and not any(mark in first for mark in _DELIMITERS)):
        return plain(content)
    return _csv(content)


def _first_line(content: str) -> str:
    return next(line for line in io.StringIO(content) if line.strip())


def decode(data: bytes) -> str:
    """Octets as text: UTF-8, UTF-16, windows-1250 or ISO-8859-2, told by what stands in them."""
    if len(data) > LARGEST:
        raise ListError(f"larger than {LARGEST >> 20} MiB; split it")
    for magic, name in _MAGIC.items():
        if data.startswith(magic):
            raise ListError(f"not a list: {name}")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or _is_utf_16(data[:4096]):
        codec = (
            "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
        )
        return data.decode(codec, "replace")
    head = data[:65536]
    if len(_CONTROLS.findall(head)) * 50 > len(head):
        raise ListError("not a list: binary data")
    return _eight_bit(data.removeprefix(b"\xef\xbb\xbf"))


def _is_utf_16(head: bytes) -> bool:
    """Without a mark: every other octet of what is mostly ASCII or Latin is zero."""
    pairs = len(head) // 2
    fewer, more = sorted((head[0::2].count(0), head[1::2].count(0)))
    return pairs > 4 and more * 2 > pairs and fewer * 20 <= pairs


def _eight_bit(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    lenient = data.decode("utf-8", "replace")
    broken = lenient.count("\ufffd")
    # A few broken rows in UTF-8: the octets that are none are marked, and no address has such a mark.
    if sum(not char.isascii() for char in lenient) - broken > broken:
        return lenient
    codec = "iso-8859-2" if _LATIN_2_ONLY.search(data) and not _C1.search(data) else "windows-1250"
    return data.decode(codec, "replace")


def plain(content: str) -> Table:
    """One address a line; what begins with # is a comment. The first word counts: a map of Postfix is a list, too."""

    def rows() -> Iterator[tuple[int, Record | Bad]]:
        for number, line in enumerate(io.StringIO(content), 1):
            bare = line.strip().rstrip(",;")
            if bare and not bare.startswith("#"):
                yield number, {"email": _address_in(bare)}

    return Table(frozenset(), "line", rows())


def _address_in(line: str) -> str:
    if line.endswith(">") and "<" in line[:400]:
        return line[line.rindex("<") + 1 : -1]
    if '"' in line[:1]:
        return line
    return line.split(maxsplit=1)[0]


def _csv(content: str) -> Table:
    csv.field_size_limit(CELL)
    first = _first_line(content)
    outside = re.sub(r'"[^"]*"', "", first)
    delimiter = max(_DELIMITERS, key=outside.count)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    rows = _numbered(reader)
    number, head = next(rows, (0, []))
    if not head:
        raise ListError("the file is empty")
    if len(head) > COLUMNS:
        raise ListError(f"line {number}: more than {COLUMNS} columns")
    if any("@" in cell for cell in head):  # no header
        second = head[1].strip().upper() if len(head) == 2 else ""
        known = second in ("BOUNCE", "COMPLAINT")
        columns = ["emailaddress", "reason"] if known else [f"column{place}" for place in range(len(head))]
        rows = _numbered(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True))
    else:
        columns = [fold(cell) for cell in head]
    return Table(frozenset(columns) - {""}, "line", _records(columns, rows))


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold something, each with the number of the line in which it begins."""
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            reason = (
                "a quotation mark is never closed" if "limit" in str(error) or "end of data" in str(error) else error
            )
            raise ListError(f"line {number}: broken CSV: {reason}") from None
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield number, row


def _records(columns: Sequence[str], rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, Record | Bad]]:
    for number, row in rows:
        yield number, dict(zip(columns, row, strict=False))


def _json(content: str) -> Table:
    try:
        found = json.loads(content)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise ListError(f"line {error.lineno}: broken JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise ListError(f"broken JSON: {text.visible(str(error))}") from None
    else:
        return _documents([found])
    lines = [(number, line) for number, line in enumerate(content.split("\n"), 1) if line.strip()]
    first = _line(*lines[0])[1]
    if isinstance(first, Bad) or _is_page(first):
        return _documents(_behind_each_other(content))
    return Table(_columns(first), "line", _objects(_line(number, line) for number, line in lines), is_json=True)


def _documents(found: Sequence[Any]) -> Table:
    """The rows of one JSON document or more: pages of an API's answer."""
    items = [item for each in found for item in _items(each)]
    columns = _columns(items[0] if items else None)
    partial = _goes_on(found[-1], len(items))
    return Table(columns, "item", _objects(enumerate(items, 1)), is_json=True, partial=partial)


def _behind_each_other(content: str) -> list[Any]:
    decoder, found, place = json.JSONDecoder(), [], 0
    try:
        while (space := _SPACE.match(content, place)) and space.end() < len(content):
            each, place = decoder.raw_decode(content, space.end())
            found.append(each)
    except json.JSONDecodeError as error:
        raise ListError(f"line {error.lineno}: broken JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise ListError(f"broken JSON: {text.visible(str(error))}") from None
    return found


def _is_page(document: Any) -> bool:
    """Whether a JSON document holds rows, and is not one."""
    for _ in range(_DEPTH):
        if not isinstance(document, dict):
            break
        document = _within(document)
    return isinstance(document, list)


def _goes_on(document: Any, rows: int) -> bool:
    """Whether an API's answer says that there is more: SES by a token, listmonk and Postmark by a greater total."""
    for _ in range(2):
        if not isinstance(document, dict):
            return False
        more = {fold(name): value for name, value in document.items()}
        total = more.get("total", more.get("totalcount"))
        if more.get("nexttoken") or (isinstance(total, int) and total > rows):
            return True
        document = more.get("data")
    return False


def _line(number: int, line: str) -> tuple[int, Any]:
    try:
        return number, json.loads(line)
    except (ValueError, RecursionError):
        return number, Bad("no JSON object")


def _items(found: Any) -> list[Any]:
    """The list that a JSON document holds, or it itself as the only item."""
    for _ in range(_DEPTH):
        if isinstance(found, list):
            return found
        if not isinstance(found, dict):
            break
        inner = _within(found)
        if inner is None:
            return [found]
        found = inner
    raise ListError("JSON without a list of addresses")


def _within(document: Mapping[str, Any]) -> Any:
    """The list, or what holds it, in an API's answer; None where there is none."""
    found = (each for name, each in document.items() if fold(name) in _LISTS and isinstance(each, list | dict))
    return next(found, None)


def _columns(first: Any) -> frozenset[str]:
    return frozenset(fold(name) for name in first) if isinstance(first, dict) else frozenset()


def _objects(items: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Record | Bad]]:
    for number, item in items:
        if isinstance(item, Bad):
            yield number, item
        elif isinstance(item, str):
            yield number, {"email": item}
        elif isinstance(item, Mapping):
            yield number, {fold(name): _cell(value) for name, value in item.items()}
        else:
            yield number, Bad("no JSON object")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def address_column(columns: Sequence[str], rows: Sequence[Record]) -> str:
    """The column that holds the addresses: by its name, else by what stands in it. ListError where there is none."""
    for name in _NAMES:
        if name in columns:
            return name
    hits = {name: sum(bool(address.key(row.get(name, ""))) for row in rows) for name in columns}
    best = max(hits, key=lambda name: hits[name], default="")
    if not best or not hits[best]:
        raise ListError("no column holds e-mail addresses")
    return best


_NAMES: Final = tuple(
    "email emailaddress address mail emailadres adresemail adres adrese recipient emailadresse subscriberemail".split()
)

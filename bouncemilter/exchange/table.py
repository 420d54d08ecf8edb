"""From a file to rows: a list with columns, plain lines, JSON and JSON lines."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bouncemilter.exchange import documents
from bouncemilter.exchange.record import Bad, Record, fold
from bouncemilter.lists import ListError, ListOptions, MailingList, Source, addresses, choose, decoded, open_records

LARGEST: Final = 1024 * 1024 * 1024
"""Octets of a file: some ten million rows."""
COLUMNS: Final = 1000
_MARKS: Final = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
"""What may stand before the first sign of a text, UTF-16's zeros included."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file as rows: what each is called (`line`, `row` or `item`), its number, and its text by column."""

    columns: frozenset[str]
    """Folded; of JSON those of the first row. Empty for plain lines."""
    unit: str
    rows: Iterator[tuple[int, Record | Bad]]
    """ListError where the file is broken further down."""
    address_column: Callable[[Sequence[Record]], str]
    """Which column holds the addresses, given the first rows. ListError where it can't be told."""
    is_json: bool = False
    partial: bool = False
    """The file says itself that it is one page of many."""


def read(source: Source, options: ListOptions) -> Table:
    """The rows of a file. ListError where it is no text, or holds nothing."""
    _refuse_giant(source)
    with source.open() as file:
        is_json = file.read(4096).lstrip(_MARKS)[:1] in (b"[", b"{")
    if is_json:
        return _json(source, options)
    found = open_records(source, options)
    return _columned(found) if found.columns or found.width > 1 or options.column else _plain(found)


def plain(source: Source, options: ListOptions) -> Table:
    """The rows of a file with an address in each line."""
    _refuse_giant(source)
    found = open_records(source, replace(options, delimiter="", header=False))
    return _plain(found) if found.width <= 1 else _columned(found)  # a workbook


def _refuse_giant(source: Source) -> None:
    if source.size > LARGEST:
        raise ListError(f"{source.path}: larger than {LARGEST >> 20} MiB; split it")


def _json(source: Source, options: ListOptions) -> Table:
    found = documents.read(decoded(source, options.encoding), source.path)

    def chosen(head: Sequence[Record]) -> str:
        names = list(dict.fromkeys(name for record in head for name in record))
        records = [[record.get(name, "") for name in names] for record in head]
        wanted = replace(options, column=fold(options.column), header=True)
        return names[choose([names, *records], wanted, str(source.path), "as JSON")[0]]

    return Table(found.columns, found.unit, found.rows, chosen, is_json=True, partial=found.partial)


def _plain(found: MailingList) -> Table:
    """What begins with # is a comment. Behind an address may stand words: a map of Postfix is a list, too."""

    def rows() -> Iterator[tuple[int, Record | Bad]]:
        for number, cells in found.records():
            bare = cells[0].strip().rstrip(",;") if cells else ""
            if bare and not bare.startswith("#"):
                yield number, {"email": _first(bare)}

    return Table(frozenset(), found.unit, rows(), lambda _: "email")


def _first(line: str) -> str:
    """A line that is nothing but addresses, else its first word."""
    first = line.split(maxsplit=1)[0]
    return first if len(first) == len(line) or not addresses(line) else line


def _columned(found: MailingList) -> Table:
    if found.width > COLUMNS:
        raise ListError(f"{found.path}: more than {COLUMNS} columns")
    rows = ((number, cells) for number, cells in found.records() if _holds_any(cells))
    first = next(rows, (0, [""]))
    second = first[1][1].strip().upper() if len(first[1]) == 2 else ""
    # The job of SES writes no header.
    headless = ("emailaddress", "reason") if not found.columns and second in ("BOUNCE", "COMPLAINT") else ()
    names = _names(headless or found.columns, found.width)
    known = {fold(name) for name in found.columns} if found.columns else set(names)
    return Table(
        frozenset(known) - {""},
        found.unit,
        ((number, dict(zip(names, cells, strict=False))) for number, cells in itertools.chain([first], rows) if number),
        lambda _: names[found.layout.column - 1],
    )


def _holds_any(cells: Sequence[str]) -> bool:
    return bool(cells) and bool(cells[0].strip() or any(map(str.strip, cells)))


def _names(columns: Sequence[str], width: int) -> list[str]:
    """The names of all columns, folded, each another one."""
    names: list[str] = []
    for place, name in enumerate([*columns, *[""] * (width - len(columns))]):
        folded = fold(name)
        names.append(folded if folded and folded not in names else f"column{place}")
    return names

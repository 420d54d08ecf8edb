"""Texts with columns (RFC 4180): taking records apart without changing them, and finding the delimiter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from bouncemilter.lists.cell import addresses

DELIMITERS: Final = (",", ";", "\t", "|")
BLANKS: Final = " \t\n\r\v\f"
"""What may be taken off a cell before it is decoded: octets of UTF-8 look like other blanks of latin-1."""
LONGEST: Final = 1 << 20
"""Characters of one record: a quote that is never closed would take in the whole file."""
_PREAMBLE: Final = re.compile(r"\s*(\"?)sep=(.)\1[\r\n]*\Z")
"""A first line by which Excel is told the delimiter."""


LONE_RETURN: Final = re.compile(r"\r(?=[^\r\n])")
_IN_QUOTES: Final = re.compile(r'"[^"]*+"')


class BrokenRecordError(Exception):
    """A record that can't be taken apart; the text says why."""


def fields(record: str, delimiter: str) -> list[str] | None:
    """The cells of a record, unquoted; None where a quote is still open at its end.

    After a closing quote anything may stand up to the delimiter, as in `"Jan" <jan@wp.pl>`.
    """
    record = record.rstrip("\r\n")
    if '"' not in record:
        return record.split(delimiter)
    found, place = [], 0
    while True:
        value = ""
        if record.startswith('"', place):
            end = _closing(record, place)
            if end < 0:
                return None
            value = record[place + 1 : end].replace('""', '"')
            place = end + 1
        end = record.find(delimiter, place)
        rest = record[place:] if end < 0 else record[place:end]
        found.append(f'"{value}"{rest}' if value and rest.strip() else value or rest)
        if end < 0:
            return found
        place = end + len(delimiter)


def _closing(record: str, opening: int) -> int:
    """The place of the quote that closes the one at `opening`; -1 where there is none."""
    place = record.find('"', opening + 1)
    while place >= 0 and record.startswith('"', place + 1):
        place = record.find('"', place + 2)
    return place


@lru_cache(maxsize=8)
def whole_record(delimiter: str, place: int) -> re.Pattern[str]:
    """Matches a well-formed record that ends with its line; the group is the cell at `place`, quotes included."""
    mark, cell = re.escape(delimiter), _cell(delimiter)
    return re.compile(rf"(?:{cell}{mark}){{{place}}}({cell})(?:{mark}{cell})*+\r?\n?\Z")


@lru_cache(maxsize=8)
def well_formed(delimiter: str) -> re.Pattern[str]:
    """Matches whole lines, all of whose records are well-formed and end there."""
    cell = _cell(delimiter)
    record = rf"{cell}(?:{re.escape(delimiter)}{cell})*+"
    return re.compile(rf"(?:{record}\r?\n)*+(?:{record})?\Z")


def _cell(delimiter: str) -> str:
    return rf'(?:"[^"]*+(?:""[^"]*+)*+"|[^"{re.escape(delimiter)}\r\n]*+)'


def unquoted(cell: str) -> str:
    """A cell without its quotes."""
    return cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


class Pending:
    """The lines of a record whose quote is still open."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._size = 0

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, line: str, delimiter: str) -> tuple[str, list[str]] | None:
        """Add a line; the record and its cells where that ends it. BrokenRecordError: it is too long."""
        opened = bool(self._lines)
        self._lines.append(line)
        self._size += len(line)
        if not opened or '"' in line:
            whole = "".join(self._lines)
            found = fields(whole, delimiter)
            if found is not None:
                self._lines.clear()
                self._size = 0
                return whole, found
        if self._size > LONGEST:
            raise BrokenRecordError(f"a quote is opened and not closed within {LONGEST:,} characters")
        return None

    def end(self) -> None:
        """There are no more lines. BrokenRecordError: the quote was not closed."""
        if self._lines:
            raise BrokenRecordError("a quote is opened and never closed")


def records(lines: Iterable[str], delimiter: str) -> Iterator[tuple[str, list[str]]]:
    """Each record as written and its cells. BrokenRecordError: a quote that is not closed."""
    pending = Pending()
    for line in lines:
        if not delimiter:
            yield line, [unquoted(line.strip(BLANKS))]
        elif found := pending.add(line, delimiter):
            yield found
    pending.end()


def hides_record(record: str) -> bool:
    """Whether a carriage return outside quotes is likely the end of a record, with an address behind it."""
    return "@" in record.partition("\r")[2] and LONE_RETURN.search(_IN_QUOTES.sub("", record)) is not None


def preamble(line: str) -> str:
    """The delimiter that a line `sep=;` names; empty where it is none."""
    found = _PREAMBLE.match(line)
    return found[2] if found else ""


def find_delimiter(lines: list[str]) -> str:
    """What parts the columns: that by which the most cells are an address; empty where the lines have one column."""
    best, best_score = "", _score(lines, "")
    for delimiter in DELIMITERS:
        if not any(delimiter in line for line in lines):
            continue
        score = _score(lines, delimiter)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _score(lines: list[str], delimiter: str) -> tuple[int, int, int]:
    """How well a delimiter fits: records with an address in the best column; those as wide as most; that width."""
    hits: dict[int, int] = {}
    widths: dict[int, int] = {}
    try:
        for _, cells in records(lines, delimiter):
            widths[len(cells)] = widths.get(len(cells), 0) + 1
            for place, cell in enumerate(cells):
                if addresses(cell):
                    hits[place] = hits.get(place, 0) + 1
    except BrokenRecordError:
        pass  # of a sample the last record may be cut off
    if not widths:
        return 0, 0, 0
    width = max(widths, key=lambda each: widths[each])
    many = delimiter and width > 1
    return max(hits.values(), default=0), widths[width] if many else 0, width if many else 0

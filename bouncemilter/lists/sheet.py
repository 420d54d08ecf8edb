"""One sheet of an Excel workbook as XML (ECMA-376 part 1, section 18.3): reading its rows, and cutting rows out.

The XML is changed in place, and only where rows move: what a program that reads and writes whole workbooks does not
know (pictures, charts, macros, formats) stays. A row that is cut out leaves no gap: those below move up, with the
references to them on the sheet.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

_ROW: Final = re.compile(
    rb"<(?:\w+:)?row(?=[\s/>])([^>/]*+(?:/(?!>)[^>/]*+)*+)(?:/>|>([^<]*+(?:<(?!/(?:\w+:)?row>)[^<]*+)*+)</(?:\w+:)?row>)"
)
_CELL: Final = re.compile(
    rb"<(?:\w+:)?c(?=[\s/>])([^>/]*+(?:/(?!>)[^>/]*+)*+)(?:/>|>([^<]*+(?:<(?!/(?:\w+:)?c>)[^<]*+)*+)</(?:\w+:)?c>)"
)
_PLACE: Final = re.compile(rb'\sr="([A-Z]{1,3})?(\d+)"')
_TYPE: Final = re.compile(rb'\st="(\w+)"')
_VALUE: Final = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>(.*?)</(?:\w+:)?v>", re.DOTALL)
_TEXT: Final = re.compile(rb"<(?:\w+:)?t(?:\s[^>]*)?>(.*?)</(?:\w+:)?t>", re.DOTALL)
_PHONETIC: Final = re.compile(rb"<(?:\w+:)?rPh\b.*?</(?:\w+:)?rPh>", re.DOTALL)
_DATA: Final = re.compile(rb"<(?:\w+:)?sheetData(?:\s[^>]*)?>(.*)</(?:\w+:)?sheetData>", re.DOTALL)
_NUMBERED: Final = re.compile(rb'(<(?:\w+:)?(?:row|c)(?=\s)[^>]*?\sr="[A-Z]{0,3})(\d+)"')
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f(?=[\s/>])([^>]*?)(?:/>|>(.*?)</(?:\w+:)?f>)", re.DOTALL)
# A reference of a formula: to cells of this sheet, not within a text, a name, a function or another sheet.
_IN_FORMULA: Final = re.compile(
    rb'"[^"]*"|&quot;.*?&quot;|![$A-Z0-9:]+|'
    rb"(?<![\w.!\'\]$:])(\$?[A-Z]{1,3}\$?)(\d{1,7})(?:(:\$?[A-Z]{1,3}\$?)(\d{1,7}))?(?![\w(.!])"
)
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""A character that XML can't hold (section 22.9.2.19, ST_Xstring): `_x000D_` stands in many imported cells."""
_RANGE: Final = re.compile(rb"([A-Z]{0,3})(\d+)(?::([A-Z]{0,3})(\d+))?\Z")
_REFERENCE: Final = re.compile(rb'\s(?:ref|sqref)="([^"]*)"')
# What stands at single places, and goes with them.
_PLACED: Final = re.compile(
    rb"<(?:\w+:)?(mergeCell|hyperlink|conditionalFormatting|dataValidation|ignoredError|protectedRange|autoFilter)"
    rb"(?=\s)[^>]*?(?:/>|>.*?</(?:\w+:)?\1>)",
    re.DOTALL,
)
# The condition of a format or of an input: its references are meant for the first cell of its ranges.
_CONDITION: Final = re.compile(rb"(<(?:\w+:)?formula[12]?(?:\s[^>]*)?>)([^<]+)")
_DIGITS: Final = re.compile(rb"\d+")
_EMPTIED: Final = re.compile(
    rb"<((?:\w+:)?(?:mergeCells|hyperlinks|dataValidations|ignoredErrors|protectedRanges))(?:\s[^>]*)?>\s*</\1>"
)
_COUNT: Final = re.compile(rb'(<(?:\w+:)?(?:mergeCells|dataValidations)\b[^>]*?)\scount="\d+"')
_TOP: Final = re.compile(rb"<(?:\w+:)?dimension(?=\s)[^>]*?/?>")


class Shift:
    """Where rows go when some are cut out. Rows are numbered from 1."""

    def __init__(self, removed: Sequence[int]) -> None:
        self._removed = sorted(removed)
        self._known = frozenset(removed)

    def gone(self, row: int) -> bool:
        """Whether a row is cut out."""
        return row in self._known

    def to(self, row: int) -> int:
        """The new number of a row; of one that is cut out, that of the row that moves up into its place."""
        return row - bisect_right(self._removed, row) + (row in self._known)

    def span(self, first: int, last: int) -> tuple[int, int] | None:
        """The new numbers of the rows from `first` to `last`; None where all of them are cut out."""
        start, end = self.to(first), self.to(last) - (last in self._known)
        return (start, end) if end >= start else None


def rows(xml: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each row."""
    found, number = _DATA.search(xml), 0
    for row in _ROW.finditer(xml, *(found.span(1) if found else (0, 0))):
        place = _PLACE.search(row[1])
        number = int(place[2]) if place else number + 1
        yield number, row[2] or b""


def cells(row: bytes, shared: Sequence[bytes]) -> Iterator[tuple[int, str]]:
    """Column (from 0) and text of each cell of a row; `shared`: the workbook's shared strings."""
    column = -1
    for cell in _CELL.finditer(row):
        place = _PLACE.search(cell[1])
        column = _column(place[1]) if place and place[1] else column + 1
        if cell[2]:
            yield column, _cell_text(cell[1], cell[2], shared)


def text(xml: bytes) -> str:
    """The text of a shared or inline string, without reading aids (section 18.4.8)."""
    if b"rPh" in xml:
        xml = _PHONETIC.sub(b"", xml)
    return _characters(b"".join(_TEXT.findall(xml)))


def _characters(xml: bytes) -> str:
    found = html.unescape(xml.decode("utf-8", "replace"))
    return _ESCAPED.sub(lambda each: chr(int(each[1], 16)), found) if "_x" in found else found


def _cell_text(attributes: bytes, content: bytes, shared: Sequence[bytes]) -> str:
    kind = _TYPE.search(attributes)
    if kind and kind[1] == b"inlineStr":
        return text(content)
    value = _VALUE.search(content)
    if value is None:
        formula = _FORMULA.search(content)  # that nobody has calculated yet
        return f"={_characters(formula[2])}" if formula and formula[2] else ""
    if kind and kind[1] == b"s":
        number = int(value[1]) if value[1].strip().isdigit() else len(shared)
        return text(shared[number]) if number < len(shared) else ""
    return _characters(value[1])


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def cut(xml: bytes, shift: Shift) -> bytes:
    """The sheet without the rows that are cut out."""
    found = _DATA.search(xml)
    if found is None:
        return xml
    start, end = found.span(1)
    head = _TOP.sub(lambda each: _moved(each[0], shift) or each[0], xml[:start])
    kept, number, before = [], 0, start
    for row in _ROW.finditer(xml, start, end):
        place = _PLACE.search(row[1])
        number = int(place[2]) if place else number + 1
        if not shift.gone(number):
            kept += [xml[before : row.start()], _moved_row(row[0], number, shift)]
        before = row.end()
    tail = _COUNT.sub(rb"\1", _PLACED.sub(lambda each: _moved(each[0], shift), xml[end:]))
    return b"".join([head, *kept, xml[before:end], _EMPTIED.sub(b"", tail)])


def _moved_row(row: bytes, number: int, shift: Shift) -> bytes:
    if b"<f" in row or b":f" in row:
        row = _FORMULA.sub(lambda each: _moved_formula(each, shift), row)
    new = shift.to(number)
    if new == number:
        return row
    digits = str(new).encode()
    return _NUMBERED.sub(lambda each: each[1] + digits + b'"', row)


def _moved_formula(formula: re.Match[bytes], shift: Shift) -> bytes:
    """The formula with its references moved. One that several cells share becomes the last value of each."""
    if b't="' in formula[1]:
        return b""
    if not formula[2]:
        return formula[0]
    at = formula.start(2) - formula.start()
    return (
        formula[0][:at]
        + _IN_FORMULA.sub(lambda each: _moved_reference(each, shift), formula[2])
        + formula[0][at + len(formula[2]) :]
    )


def _moved_reference(found: re.Match[bytes], shift: Shift) -> bytes:
    if found[2] is None:
        return found[0]
    span = shift.span(int(found[2]), int(found[4] or found[2]))
    if span is None:
        return b"#REF!"
    last = b"%s%d" % (found[3], span[1]) if found[4] else b""
    return b"%s%d%s" % (found[1], span[0], last)


def _moved(element: bytes, shift: Shift) -> bytes:
    """An element with its ranges moved; nothing where all rows of it are cut out."""
    found = _REFERENCE.search(element)
    if found is None:
        return element
    ranges = moved_ranges(found[1], shift)
    if not ranges:
        return b""
    before, after = _DIGITS.search(found[1]), _DIGITS.search(ranges)
    up = int(before[0]) - int(after[0]) if before and after else 0
    behind = _CONDITION.sub(lambda each: each[1] + _moved_condition(each[2], shift, up), element[found.end(1) :])
    return element[: found.start(1)] + ranges + behind


def _moved_condition(formula: bytes, shift: Shift, up: int) -> bytes:
    """A condition whose first cell moves `up` rows. A `$` names a row of the sheet; other rows move with the cell."""

    def move(found: re.Match[bytes]) -> bytes:
        if found[2] is None or found[1].endswith(b"$"):
            return _moved_reference(found, shift)
        last = b"%s%d" % (found[3], int(found[4]) - up) if found[4] else b""
        return b"%s%d%s" % (found[1], int(found[2]) - up, last) if int(found[2]) > up else b"#REF!"

    return _IN_FORMULA.sub(move, formula)


def moved_ranges(written: bytes, shift: Shift) -> bytes:
    """Ranges such as `A2:C9 E4`, moved; empty where nothing is left."""
    kept = []
    for each in written.split():
        found = _RANGE.match(each)
        if found is None:
            kept.append(each)
            continue
        span = shift.span(int(found[2]), int(found[4] or found[2]))
        if span:
            last = b":%s%d" % (found[3], span[1]) if found[4] else b""
            kept.append(b"%s%d%s" % (found[1], span[0], last))
    return b" ".join(kept)

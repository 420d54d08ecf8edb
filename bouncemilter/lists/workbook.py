"""A list that is an Excel workbook (.xlsx, .xlsm; ECMA-376): the sheet with addresses, all else left as it is."""

from __future__ import annotations

import copy
import html
import itertools
import posixpath
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from functools import cached_property
from typing import BinaryIO, Final

from bouncemilter.lists import column, sheet
from bouncemilter.lists.column import ListOptions
from bouncemilter.lists.errors import ListError
from bouncemilter.lists.layout import Keep, Layout, Progress
from bouncemilter.lists.sheet import Shift
from bouncemilter.lists.source import Source

LARGEST_PART: Final = 512 * 1024 * 1024
"""Octets of one unpacked part: a sheet with Excel's most rows, 1,048,576, takes a fifth. More is a bomb."""
_SAMPLE_RECORDS: Final = 1000
_STEPS: Final = 100
"""Of a progress bar."""
_ATTRIBUTE: Final = re.compile(rb'([\w:]+)\s*=\s*(?:"([^"]*)"|\'([^\']*)\')')
_RELATION: Final = re.compile(rb"<(?:\w+:)?Relationship(?=\s)([^>]*?)/?>")
_SHEET: Final = re.compile(rb"<(?:\w+:)?sheet(?=\s)([^>]*?)/?>")
_SHARED: Final = re.compile(rb"<(?:\w+:)?si(?:\s[^>]*)?(?:/>|>(.*?)</(?:\w+:)?si>)", re.DOTALL)
_UNKNOWN: Final = re.compile(rb"<!DOCTYPE|<!ENTITY|<!\[CDATA\[|<!--")
"""Never written by a spreadsheet, and not read here."""
_CALC_OVERRIDE: Final = re.compile(rb"<(?:\w+:)?Override(?=\s)[^>]*calcChain[^>]*/>")
_CALC_RELATION: Final = re.compile(rb"<(?:\w+:)?Relationship(?=\s)[^>]*calcChain[^>]*/>")
_TABLE_RANGE: Final = re.compile(rb'(<(?:\w+:)?(?:table|autoFilter)(?=\s)[^>]*?\sref=")([^"]*)"')
_COMMENT: Final = re.compile(rb"<(?:\w+:)?(comment|threadedComment)(?=\s)[^>]*>.*?</(?:\w+:)?\1>", re.DOTALL)
_SHAPE: Final = re.compile(rb"<v:shape(?=\s).*?</v:shape>", re.DOTALL)
_SHAPE_ROW: Final = re.compile(rb"(<x:Row>)(\d+)(</x:Row>)")
_TYPES: Final = "[Content_Types].xml"


class Workbook:
    """A workbook. ListError where it is none, or where no sheet can be told; OSError."""

    unit: Final = "row"

    def __init__(self, source: Source, options: ListOptions) -> None:
        self.path = source.path
        self.size = source.size
        self._source = source
        self._options = options
        try:
            with source.open() as file, zipfile.ZipFile(file) as archive:
                self._book = self._target(archive, "", "officeDocument") or "xl/workbook.xml"
                if self._book not in archive.namelist():
                    raise ListError(f"{self.path}: an archive, but no .xlsx workbook; save the list as .xlsx or CSV")
                self._shared = self._strings(archive)
                self._sheet, self._part, self._xml = self._choose(archive, options)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
            raise ListError(f"{self.path}: a damaged workbook ({error})") from None
        self._looked = self._sample(self._xml)
        if not self._looked:
            raise ListError(f"{self.path}: sheet {self._sheet} is empty: there is no list in it")
        self.columns, self._header = column.heading(self._looked, options)
        self.width = max(map(len, self._looked))

    @cached_property
    def layout(self) -> Layout:
        """As MailingList.layout."""
        place, names, _ = column.choose(self._looked, self._options, str(self.path), f"sheet {self._sheet}")
        return Layout("xlsx", "", "", place + 1, names, self._sheet)

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """As MailingList.records."""
        found = self._rows(self._xml)
        if self._header:
            next(found, None)
        yield from found

    def copy(self, out: BinaryIO | None, keep: Keep, progress: Progress) -> None:
        """As MailingList.copy. Record numbers are those of the sheet's rows."""
        where, removed, first = self.layout.column - 1, [], self._header
        told = seen = 0
        for number, row in sheet.rows(self._xml):
            seen += len(row)
            # Reading is half of the work.
            if out is not None and (done := self.size * seen // (2 * len(self._xml))) >= told + self.size // _STEPS:
                progress(done - told)
                told = done
            if first:
                first = False
                continue
            cell = next((found for place, found in sheet.cells(row, self._shared) if place == where), "")
            if not keep(number, cell.strip()):
                removed.append(number)
        if out is not None:
            if removed:
                self._write(out, Shift(removed))
            else:
                with self._source.open() as file:
                    shutil.copyfileobj(file, out)
        progress(self.size - told)

    def _read(self, archive: zipfile.ZipFile, name: str) -> bytes:
        """A part of the workbook that is XML in UTF-8; empty where there is none."""
        try:
            size = archive.getinfo(name).file_size
        except KeyError:
            return b""
        if size > LARGEST_PART:
            raise ListError(f"{self.path}: {name} unpacks to {size:,} octets, more than {LARGEST_PART:,}")
        found = archive.read(name)
        if _UNKNOWN.search(found) or found[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise ListError(f"{self.path}: {name} is XML as no spreadsheet writes it; save the list as CSV")
        return found

    def _relations(self, archive: zipfile.ZipFile, part: str) -> list[dict[str, str]]:
        folder, name = posixpath.split(part)
        found = self._read(archive, posixpath.join(folder, "_rels", f"{name}.rels"))
        return [_attributes(each) for each in _RELATION.findall(found)]

    def _targets(self, archive: zipfile.ZipFile, part: str, kind: str) -> list[str]:
        """The parts of a kind that a part refers to."""
        folder = posixpath.dirname(part)
        return [
            _resolved(folder, each.get("Target", ""))
            for each in self._relations(archive, part)
            if each.get("Type", "").endswith(f"/{kind}")
        ]

    def _target(self, archive: zipfile.ZipFile, part: str, kind: str) -> str:
        return next(iter(self._targets(archive, part, kind)), "")

    def _strings(self, archive: zipfile.ZipFile) -> list[bytes]:
        part = self._target(archive, self._book, "sharedStrings")
        return _SHARED.findall(self._read(archive, part)) if part else []

    def _sheets(self, archive: zipfile.ZipFile) -> list[tuple[str, str]]:
        """Name and part of each sheet, in the workbook's order."""
        parts = {
            each.get("Id", ""): _resolved(posixpath.dirname(self._book), each.get("Target", ""))
            for each in self._relations(archive, self._book)
            if each.get("Type", "").endswith("/worksheet")
        }
        found = []
        for each in _SHEET.findall(self._read(archive, self._book)):
            given = _attributes(each)
            number = next((value for name, value in given.items() if name.endswith(":id")), "")
            if number in parts:
                found.append((given.get("name", ""), parts[number]))
        return found

    def _choose(self, archive: zipfile.ZipFile, options: ListOptions) -> tuple[str, str, bytes]:
        """Name, part and XML of the sheet that is the list."""
        sheets = self._sheets(archive)
        if options.sheet:
            there = ", ".join(name for name, _ in sheets)
            # No two names of a workbook are the same but for their case.
            sheets = [each for each in sheets if each[0].casefold() == options.sheet.casefold()]
            if not sheets:
                raise ListError(f"{self.path}: no sheet {options.sheet} (there are: {there})")
        found: list[tuple[str, str, bytes]] = []
        for name, part in sheets:
            xml = self._read(archive, part)
            if len(sheets) == 1 or self._has_addresses(xml, options):
                found.append((name, part, xml))
        if not found:
            names = ", ".join(name for name, _ in sheets)
            raise ListError(f"{self.path}: no sheet has a column of e-mail addresses (looked at: {names})")
        if len(found) > 1:
            names = ", ".join(name for name, _, _ in found)
            raise ListError(f"{self.path}: several sheets hold addresses: {names}; choose one by --sheet NAME")
        return found[0]

    def _has_addresses(self, xml: bytes, options: ListOptions) -> bool:
        records = self._sample(xml)
        names, header = column.heading(records, options)
        return bool(records) and bool(column.candidates(records[header:], names))

    def _sample(self, xml: bytes) -> list[list[str]]:
        return [cells for _, cells in itertools.islice(self._rows(xml), _SAMPLE_RECORDS + 1)]

    def _rows(self, xml: bytes) -> Iterator[tuple[int, list[str]]]:
        """Number and cells of each row, the header too."""
        for number, row in sheet.rows(xml):
            found = dict(sheet.cells(row, self._shared))
            yield number, [found.get(place, "") for place in range(max(found, default=-1) + 1)]

    def _write(self, out: BinaryIO, shift: Shift) -> None:
        """The workbook without some rows of its sheet."""
        with self._source.open() as book, zipfile.ZipFile(book) as archive:
            changed = self._changed(archive, shift)
            with zipfile.ZipFile(out, "w") as target:
                for entry in archive.infolist():
                    if posixpath.basename(entry.filename) == "calcChain.xml":
                        continue  # the order of calculation names cells; it is found anew
                    content = changed.get(entry.filename)
                    with target.open(copy.copy(entry), "w", force_zip64=entry.file_size > 1 << 31) as file:
                        if content is not None:
                            file.write(content)
                            continue
                        with archive.open(entry) as source:
                            shutil.copyfileobj(source, file)

    def _changed(self, archive: zipfile.ZipFile, shift: Shift) -> dict[str, bytes]:
        """The parts that name rows of the sheet, by their names."""
        rels = posixpath.join(posixpath.dirname(self._book), "_rels", f"{posixpath.basename(self._book)}.rels")
        found = {
            self._part: sheet.cut(self._xml, shift),
            _TYPES: _CALC_OVERRIDE.sub(b"", self._read(archive, _TYPES)),
            rels: _CALC_RELATION.sub(b"", self._read(archive, rels)),
        }
        for part in self._targets(archive, self._part, "table"):
            found[part] = _TABLE_RANGE.sub(lambda each: _moved_table(each, shift), self._read(archive, part))
        for kind in ("comments", "threadedComment"):
            for part in self._targets(archive, self._part, kind):
                found[part] = _COMMENT.sub(lambda each: _moved_comment(each, shift), self._read(archive, part))
        for part in self._targets(archive, self._part, "vmlDrawing"):
            found[part] = _SHAPE.sub(lambda each: _moved_shape(each, shift), self._read(archive, part))
        return found


def _attributes(element: bytes) -> dict[str, str]:
    return {
        name.decode("ascii", "replace"): html.unescape((double or single).decode("utf-8", "replace"))
        for name, double, single in _ATTRIBUTE.findall(element)
    }


def _resolved(folder: str, target: str) -> str:
    """A relationship's target as the name of an entry."""
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def _moved_table(found: re.Match[bytes], shift: Shift) -> bytes:
    """A table's range; it has a row below its header, though an empty one (section 18.5.1.2)."""
    first, _, last = found[2].partition(b":")
    moved = sheet.moved_ranges(found[2], shift)
    top, bottom = (re.sub(rb"\D", b"", each) for each in (moved or first).partition(b":")[::2])
    if moved and top == bottom and first != last:
        letters = re.sub(rb"\d", b"", last)
        moved = moved.partition(b":")[0] + b":%s%d" % (letters, int(top) + 1)
    return found[1] + (moved or found[2]) + b'"'


def _moved_comment(found: re.Match[bytes], shift: Shift) -> bytes:
    place = re.search(rb'\sref="([A-Z]+)(\d+)"', found[0])
    if place is None:
        return found[0]
    row = int(place[2])
    if shift.gone(row):
        return b""
    return found[0][: place.start(2)] + str(shift.to(row)).encode() + found[0][place.end(2) :]


def _moved_shape(found: re.Match[bytes], shift: Shift) -> bytes:
    """The box of a comment; its rows are numbered from 0."""
    place = _SHAPE_ROW.search(found[0])
    if place is None:
        return found[0]
    row = int(place[2]) + 1
    if shift.gone(row):
        return b""
    return _SHAPE_ROW.sub(lambda each: each[1] + str(shift.to(row) - 1).encode() + each[3], found[0])

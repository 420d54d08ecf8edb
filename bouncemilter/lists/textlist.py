"""A list that is a text: CSV, TSV or one address a line. What stays is copied octet for octet."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from functools import cached_property
from itertools import compress, count
from typing import BinaryIO, Final, TextIO

from bouncemilter.lists import column, encoding
from bouncemilter.lists.column import ListOptions
from bouncemilter.lists.delimited import (
    BLANKS,
    LONE_RETURN,
    BrokenRecordError,
    Pending,
    find_delimiter,
    hides_record,
    preamble,
    records,
    unquoted,
    whole_record,
)
from bouncemilter.lists.errors import ListError
from bouncemilter.lists.layout import Keep, Layout, Progress
from bouncemilter.lists.records import numbered
from bouncemilter.lists.source import Source

_CHUNK: Final = 1 << 20
"""Characters that are read at a time."""
_SAMPLE: Final = 256 * 1024
_SAMPLE_RECORDS: Final = 1000


class TextList:
    """A text. ListError where it is none; OSError."""

    unit: Final = "line"

    def __init__(self, source: Source, options: ListOptions) -> None:
        self.path = source.path
        self.size = source.size
        self._source = source
        self._options = options
        self._encoding = encoding.find(source, options.encoding)
        self._mark = self._encoding.bom.decode(self._encoding.carrier)
        self._newline = "\n"
        sample = self._sample()
        self._lead, named = self._before(sample)
        del sample[: self._lead]
        self._delimiter = named if options.delimiter is None else options.delimiter
        if options.delimiter is None and not named:
            self._delimiter = find_delimiter(sample[:_SAMPLE_RECORDS])
        self._looked = self._look(sample)
        self.columns, self._header = column.heading(self._looked, options)
        self.width = max(map(len, self._looked), default=0)

    @cached_property
    def layout(self) -> Layout:
        """As MailingList.layout."""
        shown = {"": "one column", "\t": "delimiter tab"}.get(self._delimiter, f"delimiter {self._delimiter}")
        looked_at = f"as {self._encoding.name}, {shown}"
        where, names, _ = column.choose(self._looked, self._options, str(self.path), looked_at)
        form = {"": "txt", "\t": "tsv"}.get(self._delimiter, "csv")
        return Layout(form, self._encoding.name, self._delimiter, where + 1, names)

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """As MailingList.records."""
        meant = self._encoding.name, "replace" if self._encoding.carrier == "latin-1" else self._encoding.errors
        with self._open(meant) as file:
            self._read_lead(file)
            found = numbered(file, self._delimiter, self._newline, self._lead + 1)
            try:
                if self._header:
                    next(found, None)
                yield from found
            except BrokenRecordError as error:
                raise ListError(f"{self.path}: {error}") from None

    def copy(self, out: BinaryIO | None, keep: Keep, progress: Progress) -> None:
        """As MailingList.copy."""
        carrier, errors, done = self._encoding.carrier, self._encoding.errors, 0
        header = self._header
        with self._open() as file:
            head = self._mark + self._read_lead(file)
            for raws, cells, size in self._batches(file):
                if header and raws:
                    header = False
                    head, done = head + raws[0], 1
                    del raws[0], cells[0]
                kept = "".join(compress(raws, map(keep, count(done + 1), cells)))
                done += len(raws)
                if out is not None:
                    out.write((head + kept).encode(carrier, errors))
                head = ""
                progress(size)

    @contextlib.contextmanager
    def _open(self, codec: tuple[str, str] | None = None, newline: str | None = None) -> Iterator[TextIO]:
        """The text behind the mark, in the carrier unless a codec and its errors are given."""
        name, errors = codec or (self._encoding.carrier, self._encoding.errors)
        ends = self._newline if newline is None else newline
        with self._source.open() as octets:
            octets.seek(len(self._encoding.bom))
            file = io.TextIOWrapper(octets, encoding=name, errors=errors, newline=ends)
            try:
                yield file
            finally:
                if not octets.closed:  # as it is where nobody wants the rest
                    file.detach()  # what was open before stays so

    def _read_lead(self, file: TextIO) -> str:
        return "".join(file.readline() for _ in range(self._lead))

    def _sample(self) -> list[str]:
        """The first lines, whole ones. Finds out what ends a line."""
        try:
            with self._open(newline="") as file:
                start = file.read(_SAMPLE)
            if not start.strip():
                raise ListError(f"{self.path}: empty: there is no list in it")
            self._newline = "\n" if "\n" in start or "\r" not in start else "\r"
            with self._open() as file:
                lines = file.readlines(_SAMPLE)
        except UnicodeDecodeError as error:
            raise ListError(f"{self.path}: not {self._encoding.name} as its start says ({error.reason})") from None
        return lines

    @staticmethod
    def _before(sample: list[str]) -> tuple[int, str]:
        """How many lines stand before the first record: blank ones, one with the delimiter; and that delimiter."""
        first = _filled(sample, 0)
        named = preamble(sample[first])
        return _filled(sample, first + 1) if named else first, named

    def _look(self, sample: list[str]) -> list[list[str]]:
        """The first records."""
        looked: list[list[str]] = []
        try:
            for _, cells in records(sample, self._delimiter):
                looked.append([self._encoding.text(cell) for cell in cells])
                if len(looked) == _SAMPLE_RECORDS:
                    break
        except BrokenRecordError as error:
            # A sample may end within a record; the file is read with care later.
            if not looked or sum(map(len, sample)) < _SAMPLE:
                raise ListError(f"{self.path}: record {len(looked) + 1}: {error}") from None
        return looked

    def _batches(self, file: TextIO) -> Iterator[tuple[list[str], list[str], int]]:
        """Records as written, their address cells, and the octets that they take, some thousands at a time.

        Two lists, not one of pairs: a million pairs are garbage that Python looks through again and again.
        """
        width = 2 if self._encoding.carrier != "latin-1" else 1
        before, pending = 0, Pending()
        while lines := file.readlines(_CHUNK):
            chunk = "".join(lines)
            if "\x00" in chunk:
                raise ListError(f"{self.path}: a zero character behind record {before}: the file is damaged")
            if pending or (self._delimiter and '"' in chunk):
                raws, cells = self._quoted(lines, pending, before)
            else:
                raws, cells = lines, self._plain(lines)
            if LONE_RETURN.search(chunk):
                self._refuse_mixed_ends(raws, before)
            if not chunk.isascii():
                cells = [self._encoding.text(cell).strip() for cell in cells]
            before += len(raws)
            yield raws, cells, len(chunk) * width
        with self._at(before):
            pending.end()

    def _refuse_mixed_ends(self, raws: list[str], before: int) -> None:
        number = next((number for number, raw in enumerate(raws, before + 1) if hides_record(raw)), 0)
        if number:
            raise ListError(f"{self.path}: record {number}: a line end that the other lines don't have; save it anew")

    @contextlib.contextmanager
    def _at(self, before: int) -> Iterator[None]:
        """A broken record, told with its number."""
        try:
            yield
        except BrokenRecordError as error:
            raise ListError(f"{self.path}: record {before + 1}: {error}") from None

    def _plain(self, lines: list[str]) -> list[str]:
        """The cells of records without quotes, or of one column."""
        place, delimiter = self.layout.column - 1, self._delimiter
        if not delimiter:
            return [unquoted(line.strip(BLANKS)) for line in lines]
        if place == 0:
            return [line.partition(delimiter)[0].strip(BLANKS) for line in lines]
        return [
            cells[place].strip(BLANKS) if len(cells := line.split(delimiter, place + 1)) > place else ""
            for line in lines
        ]

    def _quoted(self, lines: list[str], pending: Pending, before: int) -> tuple[list[str], list[str]]:
        """Records with quotes, which may span lines, and their cells; empty where one is too short."""
        place, delimiter = self.layout.column - 1, self._delimiter
        match = whole_record(delimiter, place).match
        raws: list[str] = []
        cells: list[str] = []
        for line in lines:
            if not pending and (simple := match(line)):
                raws.append(line)
                cells.append(unquoted(simple[1].strip(BLANKS)))
                continue
            with self._at(before + len(raws)):
                found = pending.add(line, delimiter)
            if found:
                raws.append(found[0])
                cells.append(found[1][place].strip(BLANKS) if len(found[1]) > place else "")
        return raws, cells


def _filled(lines: list[str], start: int) -> int:
    """The place of the first line from `start` on that is not blank, or where the lines end."""
    return next((place for place in range(start, len(lines)) if lines[place].strip()), len(lines))

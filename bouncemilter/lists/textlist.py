"""A list that is a text: CSV, TSV or one address a line. What stays is copied octet for octet."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from itertools import compress, count
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from bouncemilter.lists import column, encoding
from bouncemilter.lists.column import Wish
from bouncemilter.lists.delimited import (
    BLANKS,
    BrokenRecordError,
    Pending,
    find_delimiter,
    preamble,
    records,
    unquoted,
    whole_record,
)
from bouncemilter.lists.errors import ListError
from bouncemilter.lists.layout import Keep, Layout, Progress

_CHUNK: Final = 1 << 20
"""Characters that are read at a time."""
_SAMPLE: Final = 256 * 1024
_SAMPLE_RECORDS: Final = 1000
_LONE_RETURN: Final = re.compile(r"\r(?=[^\r\n])")
_IN_QUOTES: Final = re.compile(r'"[^"]*+"')


class TextList:
    """A text. ListError where it is none, or where no column of addresses can be told; OSError."""

    def __init__(self, path: Path, wish: Wish) -> None:
        self.path = path
        self.size = path.stat().st_size
        self._encoding = encoding.find(path, wish.encoding)
        self._mark = self._encoding.bom.decode(self._encoding.carrier)
        self._newline = "\n"
        self._preamble = False
        sample = self._sample()
        self._delimiter = self._find_delimiter(sample, wish)
        self.layout, self._header = self._choose(sample, wish)

    def copy(self, out: BinaryIO | None, keep: Keep, progress: Progress) -> None:
        """As MailingList.copy."""
        carrier, errors, done = self._encoding.carrier, self._encoding.errors, 0
        with self._open() as file:
            head = self._mark + (file.readline() if self._preamble else "")
            header = self._header
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

    def _open(self) -> TextIO:
        file = self.path.open(encoding=self._encoding.carrier, errors=self._encoding.errors, newline=self._newline)
        file.read(len(self._mark))
        return file

    def _sample(self) -> list[str]:
        """The first lines, whole ones. Finds out what ends a line."""
        try:
            with self.path.open(encoding=self._encoding.carrier, errors=self._encoding.errors, newline="") as file:
                start = file.read(_SAMPLE)
            if not start.removeprefix(self._mark).strip():
                raise ListError(f"{self.path}: empty: there is no list in it")
            self._newline = "\n" if "\n" in start or "\r" not in start else "\r"
            with self._open() as file:
                lines = file.readlines(_SAMPLE)
        except UnicodeDecodeError as error:
            raise ListError(f"{self.path}: not {self._encoding.name} as its start says ({error.reason})") from None
        return lines

    def _find_delimiter(self, sample: list[str], wish: Wish) -> str:
        named = preamble(sample[0])
        if named:
            self._preamble = True
            del sample[0]
        return wish.delimiter or named or find_delimiter(sample[:_SAMPLE_RECORDS])

    def _choose(self, sample: list[str], wish: Wish) -> tuple[Layout, bool]:
        looked: list[list[str]] = []
        try:
            for _, cells in records(sample, self._delimiter):
                looked.append([self._encoding.text(cell) for cell in cells])
        except BrokenRecordError as error:
            # A sample may end within a record; the file is read with care later.
            if not looked or sum(map(len, sample)) < _SAMPLE:
                raise ListError(f"{self.path}: record {len(looked) + 1}: {error}") from None
        shown = {"": "one column", "\t": "delimiter tab"}.get(self._delimiter, f"delimiter {self._delimiter}")
        where, names, header = column.choose(
            looked[:_SAMPLE_RECORDS], wish, str(self.path), f"as {self._encoding.name}, {shown}"
        )
        form = {"": "txt", "\t": "tsv"}.get(self._delimiter, "csv")
        return Layout(form, self._encoding.name, self._delimiter, where + 1, names), header

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
            if _LONE_RETURN.search(chunk):
                self._refuse_mixed_ends(raws, before)
            if not chunk.isascii():
                cells = [self._encoding.text(cell).strip() for cell in cells]
            before += len(raws)
            yield raws, cells, len(chunk) * width
        with self._at(before):
            pending.end()

    def _refuse_mixed_ends(self, raws: list[str], before: int) -> None:
        """ListError where a carriage return outside quotes is likely the end of a record, with an address behind it."""
        for number, raw in enumerate(raws, before + 1):
            if "@" in raw.partition("\r")[2] and _LONE_RETURN.search(_IN_QUOTES.sub("", raw)):
                raise ListError(
                    f"{self.path}: record {number}: a line end that the other lines don't have; save it anew"
                )

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

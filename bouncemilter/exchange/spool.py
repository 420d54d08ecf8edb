"""Rows that are checked and wait to be written: in a file without a name, a million of them are much memory.

They come out by address: so the store's indexes grow at one place after the other, in half the time.
"""

from __future__ import annotations

import datetime as dt
import marshal
import mmap
import tempfile
from array import array
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from bouncemilter.model import Category, Cause, Scope
from bouncemilter.store import Row


class Spool:
    """Rows in any order; out by address, those of one address as they came."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by __exit__)
        self._keys: list[str] = []
        self._ends = array("Q", [0])

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self._keys)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, row: Row) -> None:
        """One more."""
        cells = (
            row.line,
            row.address_key,
            row.address,
            row.cause.value,
            row.at.isoformat() if row.at else None,
            row.scope.value,
            row.scope_value,
            row.expires_at.isoformat() if row.expires_at else None,
            row.note,
            row.category.value if row.category else None,
            row.diagnostic,
        )
        line = marshal.dumps(cells)  # a tenth of JSON's time
        self._file.write(line)
        self._keys.append(row.address_key)
        self._ends.append(self._ends[-1] + len(line))

    def __iter__(self) -> Iterator[Row]:
        """All of them."""
        self._file.flush()
        if not self._keys:
            return
        with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as lines:
            for place in sorted(range(len(self._keys)), key=self._keys.__getitem__):
                yield _row(lines[self._ends[place] : self._ends[place + 1]])


def _row(line: bytes) -> Row:
    number, key, address, cause, at, scope, value, expires, note, category, diagnostic = marshal.loads(line)  # noqa: S302  (our own file, which has no name)
    return Row(
        number,
        key,
        address,
        Cause(cause),
        at and dt.datetime.fromisoformat(at),
        Scope(scope),
        value,
        expires and dt.datetime.fromisoformat(expires),
        note,
        category and Category(category),
        diagnostic,
    )

"""What was found out about a list, and what every kind of list can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

Keep = Callable[[int, str], bool]
"""(record number, text of the address cell) → whether the record stays. The first record of a file is 1."""
Progress = Callable[[int], None]
"""Is told how many more octets of MailingList.size are done."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a list is written."""

    format: str
    """`csv`, `tsv`, `txt` or `xlsx`."""
    encoding: str
    """`utf-8`, `utf-16-le`, `utf-16-be`, `windows-1250` or `iso-8859-2`; empty for a workbook."""
    delimiter: str
    """What parts the columns of a text; empty where there is one column."""
    column: int
    """The column of addresses; the first one is 1."""
    columns: tuple[str, ...]
    """The names in the header; empty where there is none."""
    sheet: str = ""
    """The sheet of a workbook."""

    @property
    def name(self) -> str:
        """The address column's name, or its number where it has none."""
        named = self.columns[self.column - 1] if self.column <= len(self.columns) else ""
        return named or str(self.column)


class MailingList(Protocol):
    """A list that has been opened: found out about, not held in memory as a whole where it is text."""

    path: Path
    size: int
    """Octets, for a progress bar."""
    columns: tuple[str, ...]
    """As Layout.columns."""
    width: int
    """Cells of the widest of the first records."""

    @property
    def unit(self) -> str:
        """What the numbers of `records` count: `line` or `row`."""

    @property
    def layout(self) -> Layout:
        """How it is written. ListError where no column of addresses can be told."""

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """The cells of each record but the header, and the number of the line or row in which it begins.

        ListError: a record can't be read; OSError.
        """

    def copy(self, out: BinaryIO | None, keep: Keep, progress: Progress) -> None:
        """Ask `keep` of each record but the header, and write what stays to `out` (None: nowhere).

        What stays is written as it was, octet for octet in texts. ListError: a record can't be read; OSError.
        """

"""Where the octets of a list come from."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


class Source:
    """A list's file, which is read more than once: by its path, or one that is open already and can be rewound.

    A command that was called by root opens a file first, and reads it when it is the store's owner.
    """

    def __init__(self, path: Path, file: BinaryIO | None = None) -> None:
        self.path = path
        """Names the list in errors."""
        self._file = file
        self.size = path.stat().st_size if file is None else file.seek(0, os.SEEK_END)
        """Octets."""

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file from its start; of one that was open already, only one at a time. OSError."""
        if self._file is None:
            with self.path.open("rb") as file:
                yield file
        else:
            self._file.seek(0)
            yield self._file

"""Where the content of one message lies while it is read and handed on."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from bouncemilter import limits

_PIECE: Final = 256 * 1024


class Spool:
    """The content of one message: its first limits.KEPT_BYTES octets in memory, the rest in an unnamed file.

    A context manager: the file is gone when it is left. What is over `max_size` is counted, not kept.
    """

    def __init__(self, max_size: int, folder: Path | None = None) -> None:
        self._head = bytearray()
        self._rest: IO[bytes] | None = None
        self._folder = folder
        self._max_size = max_size
        # A cancelled write goes on in its thread: closing waits for it, or its octets could end in another file.
        self._lock = threading.Lock()
        self._closed = False
        self.size = 0
        """Octets of the whole message."""
        self.error: OSError | None = None
        """Why the file could not be written (no space left); the rest of the message is read and thrown away."""

    @property
    def oversize(self) -> bool:
        """Whether the message is larger than it may be."""
        return self.size > self._max_size

    @property
    def head(self) -> bytes:
        """The first limits.KEPT_BYTES octets."""
        return bytes(self._head)

    async def write(self, content: bytes) -> None:
        """Add octets; never raises OSError (see `error`)."""
        self.size += len(content)
        if self.oversize or self.error:
            self._drop()
            return
        room = max(0, limits.KEPT_BYTES - len(self._head))
        self._head += content[:room]
        if len(content) > room:
            try:
                await asyncio.to_thread(self._append, content[room:])
            except OSError as error:
                self.error = error
                self._drop()

    def rest(self) -> Iterator[bytes]:
        """What is behind `head`, in pieces. Blocks on the disk: for threads. ValueError when left meanwhile."""
        offset = 0
        while piece := self._piece(offset):
            yield piece
            offset += len(piece)

    def _piece(self, offset: int) -> bytes:
        with self._lock:
            if self._closed:
                raise ValueError("the spool is closed")
            return os.pread(self._rest.fileno(), _PIECE, offset) if self._rest else b""

    def _append(self, content: bytes) -> None:
        with self._lock:
            if self._closed:
                return
            if self._rest is None:
                self._rest = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 (closed by _drop)
            view = memoryview(content)
            while view:
                view = view[self._rest.write(view) :]

    def _drop(self) -> None:
        self._head.clear()
        with self._lock:
            if self._rest is not None:
                self._rest.close()
                self._rest = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()
        self._closed = True

"""The Maildir for passed mail that nobody else takes: written through to the disk before the reply."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from prometheus_client import Gauge

from bouncemilter.replacement import sync_folder

LYING: Final = Gauge("bouncemilter_passed_maildir_messages", "Passed mail that lies in the sink's own Maildir")

_FOLDERS: Final = ("tmp", "new", "cur")
_numbers = itertools.count(1)


class Maildir:
    """A Maildir (the format of qmail's maildir(5)): folders 0700, messages 0600. Blocks on the disk: for threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._counted: tuple[tuple[int, ...], int] = ((), 0)

    def create(self) -> None:
        """Make the folders where they are missing. Raises OSError."""
        made = []
        for folder in (self.path, *(self.path / name for name in _FOLDERS)):
            if not folder.is_dir():
                folder.mkdir(mode=0o700, parents=True)
                made.append(folder.parent)
        for parent in dict.fromkeys(made):
            sync_folder(parent)
        LYING.set_function(self.count)

    def add(self, pieces: Iterable[bytes]) -> None:
        """Write one message, CRLF turned to LF; it is on the disk, with its name, when this returns. Raises OSError."""
        name = _unique_name()
        temporary = self.path / "tmp" / name
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for piece in _unix_lines(pieces):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self.path / "new" / name)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(self.path / "new")

    def count(self) -> int:
        """Messages that lie here. Counted anew only when a folder has changed."""
        folders = [self.path / "new", self.path / "cur"]
        try:
            changed = tuple(folder.stat().st_mtime_ns for folder in folders)
            if changed != self._counted[0]:
                self._counted = changed, sum(1 for folder in folders for _ in folder.iterdir())
        except OSError:
            return 0
        return self._counted[1]


def _unique_name() -> str:
    """`SECONDS.MmicrosPpidQnumber.host`: unique on this host, and among hosts that share the folder."""
    now = time.time_ns()
    host = socket.gethostname().replace("/", "\\057").replace(":", "\\072")
    return f"{now // 10**9}.M{now // 1000 % 10**6}P{os.getpid()}Q{next(_numbers)}.{host}"


def _unix_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for piece in pieces:
        data = held + piece
        held = b"\r" if data.endswith(b"\r") else b""
        yield (data[:-1] if held else data).replace(b"\r\n", b"\n")
    yield held

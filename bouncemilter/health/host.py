"""What this host shows without the store: disk, keys, the Maildir of passed mail."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bouncemilter.health.snapshot import KeyAge, Snapshot
from bouncemilter.returnpath import KeyFileError, keyfile


@dataclass(frozen=True, slots=True)
class HostFiles:
    """Where to look."""

    state: Path
    """A folder on the disk that must not become full."""
    passed: Path
    """The Maildir of passed mail."""
    keys: tuple[tuple[str, Path], ...] = ()
    """Return paths that are signed, and the file with the key of each."""


def look(files: HostFiles, at: dt.datetime) -> Snapshot:
    """Reads a few files and folders; what can't be read is said to be so."""
    free, size = _disk(files.state)
    return Snapshot(at, disk_free=free, disk_size=size, keys=tuple(_keys(files.keys)), passed=_unread(files.passed))


def messages(maildir: Path) -> int:
    """How many messages a Maildir holds; 0 where there is none. OSError: it may not be read."""
    count = 0
    for part in ("new", "cur"):
        try:
            count += sum(1 for _ in (maildir / part).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            continue
    return count


def _unread(maildir: Path) -> int | None:
    """How many; None where that may not be seen."""
    try:
        return messages(maildir)
    except OSError:
        return None


def _disk(folder: Path) -> tuple[int, int]:
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0, 0
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


def _keys(keys: tuple[tuple[str, Path], ...]) -> Iterator[KeyAge]:
    for path, file in keys:
        try:
            yield KeyAge(path, keyfile.load(file).signing.created)
        except (KeyFileError, OSError):
            yield KeyAge(path, None)

"""What can be seen of this host without the store: disk, keys, the Maildir of passed mail."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

from bouncemilter.daemon import assembly
from bouncemilter.figures.health import KeyAge, Limits, Seen
from bouncemilter.returnpath import KeyFileError, keyfile
from bouncemilter.settings import Settings, signing


def see(settings: Settings, at: dt.datetime) -> Seen:
    """Reads a few files and folders; what can't be read is said to be so."""
    free, size = _disk(settings.state_directory)
    return Seen(
        at,
        disk_free=free,
        disk_size=size,
        keys=tuple(_keys(settings)),
        passed=_passed(settings.state_directory / assembly.PASSED),
    )


def limits(settings: Settings) -> Limits:
    """What the settings take for well."""
    return Limits(settings.alerts.disk_low_percent, settings.alerts.key_age_days)


def _disk(folder: Path) -> tuple[int, int]:
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0, 0
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


def _keys(settings: Settings) -> Iterator[KeyAge]:
    for each in settings.return_path:
        if each.key_file:
            path = str(signing.return_path(each))
            try:
                yield KeyAge(path, keyfile.load(Path(each.key_file)).signing.created)
            except (KeyFileError, OSError):
                yield KeyAge(path, None)


def _passed(maildir: Path) -> int | None:
    """How many mails lie there; None where that may not be seen."""
    count = 0
    for part in ("new", "cur"):
        try:
            count += sum(1 for _ in (maildir / part).iterdir())
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return count

"""What the host shows without the store: disk, keys, passed mail."""

from __future__ import annotations

from pathlib import Path

import pytest

from bouncemilter.health import host
from bouncemilter.health.host import HostFiles
from bouncemilter.health.snapshot import KeyAge
from bouncemilter.returnpath import keyfile
from tests.statistics.mailing import NOON


def test_look(tmp_path: Path) -> None:
    """The disk has a size, a key its age, and mail in new and cur counts; what lies in tmp is not there yet."""
    key = tmp_path / "b.key"
    keyfile.create(key, NOON)
    for part, n in (("new", 2), ("cur", 1), ("tmp", 4)):
        (tmp_path / "passed" / part).mkdir(parents=True)
        for number in range(n):
            (tmp_path / "passed" / part / str(number)).touch()
    seen = host.look(HostFiles(tmp_path, tmp_path / "passed", (("b@b.test", key),)), NOON)
    assert 0 < seen.disk_free <= seen.disk_size
    assert (seen.passed, seen.keys) == (3, (KeyAge("b@b.test", NOON),))


def test_nothing_there(tmp_path: Path) -> None:
    """A folder that is not there has no known size, a key that can't be read no age, no Maildir no mail."""
    missing = tmp_path / "none"
    seen = host.look(HostFiles(missing, missing, (("b@b.test", missing),)), NOON)
    assert (seen.disk_size, seen.passed, seen.keys) == (0, 0, (KeyAge("b@b.test", None),))


def test_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Maildir that may not be read is not an empty one."""

    def refuse(_: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert host.look(HostFiles(tmp_path, tmp_path), NOON).passed is None

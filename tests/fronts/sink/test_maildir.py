"""The Maildir for passed mail."""

import os
from pathlib import Path

import pytest

from bouncemilter.fronts.sink.maildir import Maildir


@pytest.fixture
def maildir(tmp_path: Path) -> Maildir:
    made = Maildir(tmp_path / "state" / "passed")
    made.create()
    return made


def test_add(maildir: Maildir) -> None:
    """A message lies in new/ with line ends of the host, readable by its owner only; tmp/ is empty."""
    maildir.add([b"A: b\r", b"\n\r\nbody\r\n", b"lone \r stays"])
    (file,) = (maildir.path / "new").iterdir()
    assert file.read_bytes() == b"A: b\n\nbody\nlone \r stays"
    assert file.stat().st_mode & 0o777 == 0o600
    assert maildir.path.stat().st_mode & 0o777 == 0o700
    assert not list((maildir.path / "tmp").iterdir())


def test_written_through(maildir: Maildir, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is synced while it lies in tmp/, its folder once it lies in new/."""
    synced: list[str] = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(maildir.path)))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    maildir.add([b"x"])
    assert synced[0].startswith("tmp/")
    assert synced[1:] == ["new"]


def test_failed_write(maildir: Maildir, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that can't be written whole leaves nothing behind."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        maildir.add([b"x"])
    assert not [file for file in maildir.path.rglob("*") if file.is_file()]


def test_count(maildir: Maildir) -> None:
    """The metric's count follows what is added and what people take away."""
    assert maildir.count() == 0
    maildir.add([b"x"])
    maildir.add([b"y"])
    assert maildir.count() == 2
    next((maildir.path / "new").iterdir()).unlink()
    assert maildir.count() == 1

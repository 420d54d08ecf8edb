"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from bouncemilter.replacement import Replacement, backup


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text("old")
    path.chmod(0o640)
    return path


def _replace(path: Path, content: bytes, like: Path) -> None:
    with Replacement(path, like) as new:
        new.file.write(content)
        new.finish()
        new.commit()


def test_replaced(source: Path) -> None:
    """The new content is in place with the old permissions, and nothing else lies there."""
    _replace(source, b"new", source)
    assert source.read_bytes() == b"new"
    assert source.stat().st_mode & 0o777 == 0o640
    assert list(source.parent.iterdir()) == [source]


def test_without_unnamed_files(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where the file system has no files without a name."""
    real = os.open

    def refuse(path: str, flags: int, *more: int, **named: int) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(95, "Operation not supported")
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", refuse)
    _replace(source, b"new", source)
    assert source.read_bytes() == b"new"
    with Replacement(source, source) as left:
        left.file.write(b"half")
    assert source.read_bytes() == b"new"
    assert list(source.parent.iterdir()) == [source]


def test_given_up(source: Path) -> None:
    """Without commit everything stays as it was, also after finish."""
    with Replacement(source, source) as new:
        new.file.write(b"half")
        new.finish()
    assert source.read_bytes() == b"old"
    assert list(source.parent.iterdir()) == [source]


def test_link_stays(source: Path, tmp_path: Path) -> None:
    """A symbolic link stays one, and its target is replaced."""
    link = tmp_path / "link.csv"
    link.symlink_to(source.name)
    _replace(link, b"new", source)
    assert link.is_symlink()
    assert source.read_bytes() == b"new"


def test_device(source: Path) -> None:
    """A device is never replaced by a file."""
    with pytest.raises(OSError, match="no plain file"):
        Replacement(Path("/dev/null"), source)


def test_killed(source: Path) -> None:
    """A process that is killed while it writes leaves the old file and no trace."""
    program = textwrap.dedent(f"""
        import os, signal, pathlib
        from bouncemilter.replacement import Replacement
        path = pathlib.Path({str(source)!r})
        with Replacement(path, path) as new:
            new.file.write(b"x" * 1_000_000)
            new.file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL
    assert source.read_bytes() == b"old"
    assert list(source.parent.iterdir()) == [source]


def test_disk_full(source: Path) -> None:
    """Where the disk takes no more, the error comes through, and the old file is there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            _replace(source, b"x" * 100_000, source)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert source.read_bytes() == b"old"
    assert list(source.parent.iterdir()) == [source]


def test_backup(source: Path, tmp_path: Path) -> None:
    """A backup is what the file was, in place of an earlier one."""
    copy = tmp_path / "list.csv.bak"
    copy.write_text("older")
    backup(source, copy)
    _replace(source, b"new", source)
    assert (copy.read_text(), source.read_text()) == ("old", "new")
    assert sorted(tmp_path.iterdir()) == [source, copy]


def test_backup_without_links(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file system has no hard links, it is a copy."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    backup(source, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "old"


@pytest.mark.parametrize(("before", "after"), [(0o640, 0o600), (0o664, 0o644), (0o604, 0o604), (0o660, 0o600)])
def test_foreign_group(source: Path, monkeypatch: pytest.MonkeyPatch, before: int, after: int) -> None:
    """Where the list's group can't be kept, the other group gets no more than everybody has."""

    def refuse(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "fchown", refuse)
    source.chmod(before)
    _replace(source, b"new", source)
    assert source.stat().st_mode & 0o777 == after


def test_own_group(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is no root keeps the list's group, and with it who may read it."""
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "fchown", lambda _, user, group: given.append((user, group)))
    _replace(source, b"new", source)
    assert (given, source.stat().st_mode & 0o777) == ([(-1, source.stat().st_gid)], 0o640)


def test_no_such_folder(source: Path) -> None:
    """The error names the file that was asked for."""
    missing = source.parent / "none" / "out.csv"
    with pytest.raises(FileNotFoundError) as error:
        Replacement(missing, source)
    assert error.value.filename == str(missing)

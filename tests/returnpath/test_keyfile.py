"""Key files (F50): what is read, what is refused, and that none is ever lost or shown."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import stat
import threading
from pathlib import Path
from typing import Any, Self

import pytest

from bouncemilter.returnpath import Key, KeyFileError, KeyRing, KeyStillNeededError, keyfile
from tests.returnpath.site import NOON, key

NEW = f"6 2026-11-20T08:00:00Z {'6f' * 32}"
OLD = f"5 2026-09-01T08:00:00+02:00 {'5E' * 32}"
NOBODY = 65534


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "b.key", f"# ours\n{NEW}\n\n{OLD}\n  # the end")


def written(path: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def text_of(ring: KeyRing) -> list[tuple[int, str, bytes]]:
    return [(each.id, each.created.isoformat(), each.secret) for each in ring.keys]


def test_load(file: Path) -> None:
    """Keys stand one a line, in any order; comments and empty lines say nothing; the newest signs."""
    ring = keyfile.load(file)
    expected = [(6, "2026-11-20T08:00:00+00:00", b"\x6f" * 32), (5, "2026-09-01T08:00:00+02:00", b"\x5e" * 32)]
    assert text_of(ring) == expected
    assert ring.signing.id == 6
    assert text_of(keyfile.load(written(file, f"{OLD}\r\n{NEW}\r\n"))) == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", ": one or two keys are needed, not none"),
        ("# nothing\n", ": one or two keys are needed, not none"),
        (f"{NEW}\n{OLD}\n{OLD.replace('5 2026', '4 2025', 1)}", ": one or two keys are needed, not 3"),
        (f"{NEW}\n{OLD.replace('5', '6', 1)}", ": two keys have the id 6"),
        (f"{NEW}\n{NEW.replace('6', '7', 1)}", ": two keys have the same date: which one signs?"),
        (f"# x\n{'6f' * 32}", ":2: a key has three words (id, created, secret), not 1"),
        (f"{NEW} # mine", ":1: a key has three words (id, created, secret), not 5"),
        (f"{NEW}\n{OLD.replace('5', '16', 1)}", ":2: the first word is the key's id, 0 to 15"),
        (NEW.replace("6 ", "-1 ", 1), ":1: the first word is the key's id, 0 to 15"),
        (NEW.replace("6 ", "٣ ", 1), ":1: the first word is the key's id, 0 to 15"),
        (NEW.replace("6 ", f"{'9' * 5000} ", 1), ":1: the first word is the key's id, 0 to 15"),
        (NEW[:-1], ":1: the third word is the secret, 64 hexadecimal digits"),
        (NEW + "0", ":1: the third word is the secret, 64 hexadecimal digits"),
        (NEW[:-1] + "g", ":1: the third word is the secret, 64 hexadecimal digits"),
        (
            NEW.replace("Z", ""),
            ":1: the second word is a time with its zone, such as 2026-11-22T08:00:00Z",
        ),
        (
            NEW.replace("2026-11-20", "yesterday"),
            ":1: the second word is a time with its zone, such as 2026-11-22T08:00:00Z",
        ),
        (b"\xff\xfe" * 10, ": not a text"),
        ("#" * 70_000, ": too large for a key file"),
    ],
)
def test_wrong_content(tmp_path: Path, content: str | bytes, said: str) -> None:
    """What is wrong is said with file and line, and never with anything of a secret."""
    file = written(tmp_path / "b.key", content)
    with pytest.raises(KeyFileError) as caught:
        keyfile.load(file)
    assert str(caught.value) == f"{file}{said}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o602, 0o601, 0o610, 0o660, 0o644, 0o666, 0o440])
def test_loose_mode(file: Path, mode: int) -> None:
    """A key file that anybody but its owner may read, write or run is refused."""
    file.chmod(mode)
    with pytest.raises(KeyFileError, match=f"its group or others can read or write it \\(mode {mode:04o}\\)"):
        keyfile.load(file)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_tight_mode(file: Path, mode: int) -> None:
    """The owner's own rights are the owner's concern."""
    file.chmod(mode)
    assert keyfile.load(file).signing.id == 6


def test_links(file: Path, tmp_path: Path) -> None:
    """A symbolic link is followed; what counts is who can read the file that it names."""
    link = tmp_path / "link.key"
    link.symlink_to(file)
    assert keyfile.load(link).signing.id == 6
    file.chmod(0o644)
    with pytest.raises(KeyFileError, match=r"link\.key: its group or others"):
        keyfile.load(link)


def test_no_file(tmp_path: Path) -> None:
    """What is no file is no key file, and nobody waits for it."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    tmp_path.chmod(0o700)
    for path, said in (
        (fifo, "not a file"),
        (tmp_path, "not a file"),
        (tmp_path / "missing", "No such file or directory"),
        (fifo / "x", "Not a directory"),
    ):
        with pytest.raises(KeyFileError) as caught:
            keyfile.load(path)
        assert str(caught.value) == f"{path}: {said}"


@pytest.mark.parametrize(("mode", "good"), [(0o400, True), (0o440, True), (0o444, False), (0o460, False)])
def test_credential(file: Path, monkeypatch: pytest.MonkeyPatch, mode: int, good: bool) -> None:
    """In systemd's folder of credentials a group may read a file, and nobody else."""
    file.chmod(mode)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    if good:
        assert keyfile.load(file).signing.id == 6
    else:
        with pytest.raises(KeyFileError, match=": others can read or write it"):
            keyfile.load(file)


def test_credential_elsewhere(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file outside of that folder is no credential, nor does a link inside of it make it one."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    file.chmod(0o440)
    (folder / "b.key").symlink_to(file)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    for path in (file, folder / "b.key", folder / ".." / "b.key"):
        with pytest.raises(KeyFileError, match="its group or others"):
            keyfile.load(path)


def test_create(tmp_path: Path) -> None:
    """A new file holds one random key, and only its owner can read it."""
    file, other = tmp_path / "b.key", tmp_path / "c.key"
    before = os.umask(0)
    try:
        ring = keyfile.create(file, NOON)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert text_of(keyfile.load(file)) == text_of(ring)
    assert [(each.id, each.created) for each in ring.keys] == [(0, NOON)]
    assert keyfile.create(other, NOON).signing.secret != ring.signing.secret
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b.key", "c.key"]


def test_create_over(file: Path) -> None:
    """A key file that is there is never overwritten, nor is what a link names."""
    before = file.read_text()
    (file.parent / "link.key").symlink_to(file)
    for path in (file, file.parent / "link.key"):
        with pytest.raises(KeyFileError, match="File exists"):
            keyfile.create(path, NOON)
    assert file.read_text() == before
    assert sorted(each.name for each in file.parent.iterdir()) == ["b.key", "link.key"]
    with pytest.raises(KeyFileError, match="No such file or directory"):
        keyfile.create(file.parent / "missing" / "b.key", NOON)


def test_rotate(tmp_path: Path) -> None:
    """A new key signs, the one that signed until now stays, the one before it goes; ids come round."""
    file = tmp_path / "b.key"
    keyfile.create(file, NOON)
    ids = []
    for month in range(1, 19):
        former = keyfile.load(file).signing
        ring = keyfile.rotate(file, NOON + dt.timedelta(days=31 * month))
        assert text_of(keyfile.load(file)) == text_of(ring)
        assert ring.keys[1] == former
        assert ring.signing.secret != former.secret
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        ids.append(ring.signing.id)
    assert ids == [*range(1, 16), 0, 1, 2]
    assert [each.name for each in tmp_path.iterdir()] == ["b.key"]


def test_rotate_keeps_comments(file: Path) -> None:
    """What the operator noted stays where it was."""
    keyfile.rotate(file, NOON + dt.timedelta(days=40))
    lines = file.read_text().splitlines()
    assert [lines[0], *lines[2:]] == ["# ours", NEW, "", "  # the end"]
    assert lines[1].startswith("7 2027-01-01T12:00:00Z ")


def test_rotate_too_early(file: Path) -> None:
    """A key whose tokens may still come back is dropped by force alone, and the error says which and until when."""
    before = file.read_text()
    until = dt.datetime(2026, 12, 21, 8, tzinfo=dt.UTC)
    with pytest.raises(KeyStillNeededError) as caught:
        keyfile.rotate(file, until - dt.timedelta(seconds=1))
    assert str(caught.value) == (
        f"{file}: key 5 signed until 2026-11-20T08:00:00Z: its tokens are good until 2026-12-21T08:00:00Z, "
        "and bounces to them would no longer be believed"
    )
    assert file.read_text() == before
    with pytest.raises(KeyStillNeededError):
        keyfile.rotate(file, until, life=dt.timedelta(days=31))
    assert [each.id for each in keyfile.rotate(file, NOON, force=True).keys] == [7, 6]


def test_rotate_in_time(file: Path) -> None:
    """Once no token of the oldest key is good, it goes without force."""
    assert [each.id for each in keyfile.rotate(file, dt.datetime(2026, 12, 21, 8, tzinfo=dt.UTC)).keys] == [7, 6]


def test_rotate_backwards(file: Path) -> None:
    """A key that would be older than the one that signs would not sign: nothing is changed."""
    before = file.read_text()
    for now in (dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC), dt.datetime(2020, 1, 1, tzinfo=dt.UTC)):
        with pytest.raises(KeyFileError, match="key 6 is not older than now"):
            keyfile.rotate(file, now, force=True)
    assert file.read_text() == before


def test_rotate_link(file: Path) -> None:
    """A link stays a link, and the file that it names is rotated."""
    link = file.parent / "link.key"
    link.symlink_to(file.name)
    keyfile.rotate(link, NOON, force=True)
    assert link.is_symlink()
    assert keyfile.load(file).signing.id == 7


def test_rotate_waits(file: Path) -> None:
    """Of two rotations at a time the second one waits, so that it does not lose the first one's key."""
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        second = threading.Thread(target=keyfile.rotate, args=(file, NOON), kwargs={"force": True})
        second.start()
        second.join(0.1)
        assert second.is_alive()
        written(file, f"9 2026-11-21T08:00:00Z {'9f' * 32}\n{NEW}\n")
    finally:
        os.close(folder)
    second.join()
    assert [each.id for each in keyfile.load(file).keys] == [10, 9]


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_rotate_fails(file: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """On a full or broken disk the former file stays whole, and nothing lies beside it."""
    before = file.read_text()

    def broken(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    if call == "write":
        fdopen = os.fdopen

        def full(descriptor: int, mode: str) -> Any:
            opened = fdopen(descriptor, mode, buffering=0) if "w" in mode else fdopen(descriptor, mode)
            return Full(opened) if "w" in mode else opened

        monkeypatch.setattr(keyfile.os, "fdopen", full)
    else:
        monkeypatch.setattr(keyfile.os, call, broken)
    with pytest.raises(KeyFileError, match="No space left on device"):
        keyfile.rotate(file, NOON, force=True)
    assert file.read_text() == before
    assert [each.name for each in file.parent.iterdir()] == ["b.key"]


class Full:
    """A file on a full disk."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def fileno(self) -> int:
        return int(self._file.fileno())

    def write(self, _: bytes) -> int:
        raise OSError(28, "No space left on device")


def test_durable(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file is on disk before it is renamed, and its name after it (F03)."""
    done: list[str] = []
    fsync, rename = os.fsync, os.rename

    def synced(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def renamed(*arguments: Any, **keywords: Any) -> None:
        done.append("rename")
        rename(*arguments, **keywords)

    monkeypatch.setattr(keyfile.os, "fsync", synced)
    monkeypatch.setattr(keyfile.os, "rename", renamed)
    keyfile.rotate(file, NOON, force=True)
    assert done == ["file", "rename", "folder"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")
def test_owner(file: Path, tmp_path: Path) -> None:
    """Made by root, a key file belongs to who owns its folder; rotated by root, to whom it did before."""
    os.chown(file, NOBODY, NOBODY)
    keyfile.rotate(file, NOON, force=True)
    assert (file.stat().st_uid, file.stat().st_gid) == (NOBODY, NOBODY)
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    os.chown(folder, NOBODY, NOBODY)
    keyfile.create(folder / "c.key", NOON)
    assert (folder / "c.key").stat().st_uid == NOBODY


@pytest.mark.parametrize("number", [-1, 16])
def test_key_id(number: int) -> None:
    """A key's id has four bits."""
    with pytest.raises(ValueError, match="0 to 15"):
        key(number)


def test_key() -> None:
    """A key has 32 octets and a date with a zone."""
    with pytest.raises(ValueError, match="32 octets"):
        Key(1, NOON, b"short")
    with pytest.raises(ValueError, match="time zone"):
        Key(1, NOON.replace(tzinfo=None), bytes(32))

"""Files that appear whole or not at all. A leaf."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

_NO_UNNAMED: Final = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)
"""What a file system answers that has no files without a name."""


LEFT_SECONDS: Final = 86_400
"""Nobody has written to an unfinished file for so long: who made it was killed."""


class Replacement:
    """What a file will be: written beside it, and put in its place by `commit`, on disk by then.

    Until then nothing is there under any name, not even after a kill, where the file system has unnamed files
    (O_TMPFILE); else a hidden file. Without `commit` everything stays as it was. A symbolic link stays, its target is
    replaced. Permissions and owner are those of `like`, so that a list never becomes readable for others; without it
    the file is ours, with the permissions `mode` as far as the umask allows.
    """

    def __init__(self, path: Path, like: Path | None, *, mode: int = 0o600) -> None:
        self.path = Path(os.path.realpath(path))
        if self.path.exists() and not self.path.is_file():  # /dev/null must stay
            raise OSError(errno.EINVAL, "no plain file", str(path))
        self._like = like.stat() if like else None
        self._named: Path | None = None
        self.file = self._open(0o600 if like else mode)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # what can't be written any more is given up here
            self.file.close()
        if self._named:
            self._named.unlink(missing_ok=True)

    def finish(self) -> None:
        """Everything on disk, but not in its place yet: from here on nothing but the rename can fail."""
        self.file.flush()
        number = self.file.fileno()
        if self._like:
            os.fchmod(number, _owned(number, self._like))
        os.fsync(number)
        if self._named is None:
            name = _beside(self.path)
            # A descriptor makes Python call linkat(2), which alone follows the link; the path is absolute.
            os.link(f"/proc/self/fd/{number}", name, src_dir_fd=number)
            self._named = name

    def commit(self) -> None:
        """Put it in its place, after `finish`."""
        assert self._named is not None
        self._named.replace(self.path)
        self._named = None
        sync_folder(self.path.parent)

    def _open(self, mode: int) -> BinaryIO:
        try:
            # As open(2) tells: without O_EXCL it can be linked into place.
            number = os.open(self.path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, mode)
        except OSError as error:
            if error.errno not in _NO_UNNAMED:
                raise
        else:
            if Path("/proc/self/fd").is_dir():
                return os.fdopen(number, "wb")
            os.close(number)
        self._named = _beside(self.path)
        try:
            number = os.open(self._named, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from None
        return os.fdopen(number, "wb")


def _owned(number: int, like: os.stat_result) -> int:
    """Give a file its owner and group, as far as that is ours to give; the permissions that it may have then."""
    mode = stat.S_IMODE(like.st_mode) & 0o777
    if os.geteuid() == 0:
        os.fchown(number, like.st_uid, like.st_gid)
        return mode
    try:
        os.fchown(number, -1, like.st_gid)
    except PermissionError:  # who is of another group has been one of the others
        return mode & 0o707 | (mode & mode << 3 & 0o070)
    return mode


def _beside(path: Path) -> Path:
    return path.with_name(f"{_stem(path)}.{secrets.token_hex(4)}")


def _stem(path: Path) -> str:
    return f".{path.name[:200]}"


def write(path: Path, content: bytes) -> None:
    """Make `content` the whole of a file that only its owner reads; on disk when this returns. OSError."""
    with Replacement(path, None) as new:
        new.file.write(content)
        new.finish()
        new.commit()


@contextlib.contextmanager
def partial(path: Path, sides: Sequence[str] = ()) -> Iterator[Path]:
    """An empty file beside `path`, in which something is made that shall stand there; gone at the end, if not moved.

    For what needs a name while it is made, and has more files beside it that end in `sides`: a database. What processes
    that were killed have left of such files is removed before.
    """
    for left in path.parent.glob(f"{glob.escape(_stem(path))}.{'[0-9a-f]' * 8}"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                _remove(left, sides)
    new = _beside(path)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    try:
        yield new
    finally:
        _remove(new, sides)


def _remove(path: Path, sides: Sequence[str]) -> None:
    for suffix in ("", *sides):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def backup(path: Path, copy: Path) -> None:
    """Make `copy` the present content of `path`, in place of an earlier copy; on disk when this returns."""
    source = Path(os.path.realpath(path))
    new = _beside(copy)
    try:
        try:
            os.link(source, new)
        except OSError:  # a file system without hard links, or another one
            shutil.copy2(source, new)
            with new.open("rb") as file:
                os.fsync(file.fileno())
        new.replace(copy)
        sync_folder(copy.parent)
    finally:
        new.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names of a folder on disk."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)

"""A file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

_NO_UNNAMED: Final = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)
"""What a file system answers that has no files without a name."""


class Replacement:
    """What a file will be: written beside it, and put in its place by `commit`, on disk by then.

    Until then nothing is there under any name, not even after a kill, where the file system has unnamed files
    (O_TMPFILE); else a hidden file. Without `commit` everything stays as it was. A symbolic link stays, its target is
    replaced. Permissions and owner are those of `like`, so that a list never becomes readable for others.
    """

    def __init__(self, path: Path, like: Path) -> None:
        self.path = Path(os.path.realpath(path))
        if self.path.exists() and not self.path.is_file():  # /dev/null must stay
            raise OSError(errno.EINVAL, "no plain file", str(path))
        self._like = like.stat()
        self._named: Path | None = None
        self.file = self._open()

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
        os.fchmod(number, self._owned(number))
        os.fsync(number)
        if self._named is None:
            name = self._beside()
            # A descriptor makes Python call linkat(2), which alone follows the link; the path is absolute.
            os.link(f"/proc/self/fd/{number}", name, src_dir_fd=number)
            self._named = name

    def commit(self) -> None:
        """Put it in its place, after `finish`."""
        assert self._named is not None
        self._named.replace(self.path)
        self._named = None
        sync_folder(self.path.parent)

    def _owned(self, number: int) -> int:
        """Give the file its owner and group, as far as that is ours to give; the permissions that it may have then."""
        mode = stat.S_IMODE(self._like.st_mode) & 0o777
        if os.geteuid() == 0:
            os.fchown(number, self._like.st_uid, self._like.st_gid)
            return mode
        try:
            os.fchown(number, -1, self._like.st_gid)
        except PermissionError:  # who is of another group has been one of the others
            return mode & 0o707 | (mode & mode << 3 & 0o070)
        return mode

    def _open(self) -> BinaryIO:
        try:
            # As open(2) tells: without O_EXCL it can be linked into place.
            number = os.open(self.path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno not in _NO_UNNAMED:
                raise
        else:
            if Path("/proc/self/fd").is_dir():
                return os.fdopen(number, "wb")
            os.close(number)
        self._named = self._beside()
        try:
            number = os.open(self._named, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from None
        return os.fdopen(number, "wb")

    def _beside(self) -> Path:
        return self.path.with_name(f".{self.path.name[:200]}.{secrets.token_hex(4)}")


def backup(path: Path, copy: Path) -> None:
    """Make `copy` the present content of `path`, in place of an earlier copy; on disk when this returns."""
    source = Path(os.path.realpath(path))
    new = copy.with_name(f".{copy.name[:200]}.{secrets.token_hex(4)}")
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

"""The option `--output`: a file that is opened while the command is still who called it."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import click

from bouncemilter.cli.exits import Exit, Failure


class Output:
    """A file, or standard output where `path` is None. A file keeps what it has until all that is new is known.

    To be opened before the store: as root, a command takes on the identity of the store's owner.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._made = False
        self._descriptor = -1
        self._written = False
        if path is None:
            return
        try:
            self._made = not path.exists()
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise Failure(f"{path}: {error.strerror}", Exit.IO) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path is None:
            return
        os.close(self._descriptor)
        if self._made and not self._written:
            with contextlib.suppress(OSError):  # made as root, in a folder that is not the owner's
                self._path.unlink()

    def put(self, content: bytes) -> None:
        """Write the whole content. Failure 74 where there is no room."""
        if self._path is None:
            click.echo(content, nl=False)
            return
        try:
            regular = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
            if regular:
                self._reserve(len(content))
            with os.fdopen(os.dup(self._descriptor), "wb") as file:
                file.write(content)
                file.flush()
                if regular:
                    file.truncate(len(content))
        except OSError as error:
            raise Failure(f"{self._path}: {error.strerror}", Exit.IO) from None
        self._written = True

    def _reserve(self, octets: int) -> None:
        """A full disk shows before anything of the old content is lost."""
        try:
            os.posix_fallocate(self._descriptor, 0, max(1, octets))
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise

    @contextlib.contextmanager
    def lines(self) -> Iterator[None]:
        """What is printed goes here."""
        if self._path is None:
            yield
            return
        kept = io.StringIO()
        before, sys.stdout = sys.stdout, kept
        try:
            yield
        finally:
            sys.stdout = before
        self.put(kept.getvalue().encode("utf-8", "backslashreplace"))

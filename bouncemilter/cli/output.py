"""The option `--output`: a file that is opened while the command is still who called it."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import click

from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.replacement import Replacement


class Output:
    """A file, or standard output where `path` is None. A file appears whole or stays as it was.

    To be opened before the store: as root, a command acts as the store's owner meanwhile.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stack = contextlib.ExitStack()
        self._new: Replacement | None = None
        self._device: BinaryIO | None = None
        if path is None:
            return
        with _told(path):
            if path.exists() and not path.is_file():  # /dev/stdout, a pipe
                self._device = self._stack.enter_context(path.open("wb"))
            else:
                self._new = self._stack.enter_context(Replacement(path, path if path.exists() else None, mode=0o640))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def put(self, content: bytes) -> None:
        """Write the whole content. Failure 74 where there is no room."""
        if self._path is None:
            click.echo(content, nl=False)
            return
        with _told(self._path):
            if self._device:
                self._device.write(content)
                self._device.flush()
            elif self._new:
                self._new.file.write(content)
                self._new.finish()
                self._new.commit()

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


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Errors of a file as Failure 74."""
    try:
        yield
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}", Exit.IO) from None

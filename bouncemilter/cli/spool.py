"""Lists that come or go through a pipe: files without a name while a command needs them, gone after a kill, too."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self, cast

_INPUT: Final = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
_OUTPUT: Final = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


def is_input(path: Path) -> bool:
    """Whether a list must be read to its end before it can be looked at: standard input, or a pipe with a name."""
    return str(path) in _INPUT or path.is_fifo()


def is_output(path: Path | None) -> bool:
    """Whether a path is standard output."""
    return str(path) in _OUTPUT


class _Unnamed:
    """A file without a name, as long as the context lasts."""

    def __init__(self) -> None:
        self.file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  (closed by __exit__)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()


class PipedList(_Unnamed):
    """A list from a pipe, read to its end. OSError: it can't be read, or there is no room."""

    def __init__(self, pipe: Path) -> None:
        super().__init__()
        if str(pipe) in _INPUT:
            shutil.copyfileobj(sys.stdin.buffer, self.file)
        else:
            with pipe.open("rb") as opened:
                shutil.copyfileobj(opened, self.file)
        self.file.flush()

    @property
    def path(self) -> Path:
        """Where it can be read from its start, again and again (proc_pid_fd(5))."""
        return Path(f"/proc/{os.getpid()}/fd/{self.file.fileno()}")


class StandardOutput(_Unnamed):
    """What standard output is to get, in the manner of a lists.Replacement: nothing of it before `commit`."""

    path: Final = Path("-")

    def finish(self) -> None:
        """All is known. OSError: there is no room for it."""
        self.file.flush()

    def commit(self) -> None:
        """Print it. BrokenPipeError: nobody reads any more."""
        self.file.seek(0)
        shutil.copyfileobj(self.file, sys.stdout.buffer)
        sys.stdout.buffer.flush()

"""Exit codes (sysexits.h), and errors that carry them."""

from __future__ import annotations

from enum import IntEnum
from typing import IO, Any

import click

from bouncemilter import text


class Exit(IntEnum):
    """What a command ends with."""

    OK = 0
    """Done, or yes."""
    NO = 1
    USAGE = 2
    DATA = 65
    UNAVAILABLE = 69
    IO = 74
    TEMPORARY = 75
    PERMISSION = 77
    CONFIGURATION = 78
    INTERRUPTED = 130
    """As shells say it of SIGINT."""


class Failure(click.ClickException):
    """A command can't do its work: the text goes to standard error, one fault a line."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.exit_code = int(code)  # type: ignore[misc]  # click reads it of the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message, each line headed by our name."""
        for line in self.format_message().splitlines():
            click.echo(f"bouncemilter: {text.visible(line)}", file=file, err=file is None)

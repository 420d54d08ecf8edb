"""The command line. Each command is a module of its own, loaded when it is called."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

import bouncemilter
from bouncemilter.cli.exits import Exit, Failure

_DISK: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_COMMANDS: Final = {
    "serve": "bouncemilter.cli.serve",
    "classify": "bouncemilter.cli.classify",
    "explain": "bouncemilter.cli.explain",
    "suppression": "bouncemilter.cli.suppression",
    "why": "bouncemilter.cli.why",
    "forget": "bouncemilter.cli.forget",
    "scrub": "bouncemilter.cli.scrub",
    "validate": "bouncemilter.cli.validate",
    "incident": "bouncemilter.cli.incident",
    "status": "bouncemilter.cli.status",
    "stats": "bouncemilter.cli.stats",
    "report": "bouncemilter.cli.report",
    "ingest": "bouncemilter.cli.ingest",
    "store": "bouncemilter.cli.store",
    "returnpath": "bouncemilter.cli.returnpath",
    "rules": "bouncemilter.cli.rules",
    "reclassify": "bouncemilter.cli.reclassify",
    "doctor": "bouncemilter.cli.doctor",
    "check-config": "bouncemilter.cli.check_config",
    "config": "bouncemilter.cli.config",
    "completion": "bouncemilter.cli.completion",
    "manpage": "bouncemilter.cli.manpage",
}
"""Command and module; the module's `command` is the click command."""


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for: `classify` needs neither store nor milter."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (click's signature)
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(_COMMANDS[cmd_name]).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """As click, but that what hinders an answer is never taken for the answer `no`, which is exit 1."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise SystemExit(Exit.INTERRUPTED) from None
        except OSError as error:
            if error.filename is not None or error.errno not in _DISK:
                raise
            _abandon_output()
            raise Failure(f"standard output: {error.strerror}", Exit.IO) from None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names alone: to load every command for its help takes a second."""
        found = [CompletionItem(name) for name in _COMMANDS if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)


def _abandon_output() -> None:
    """What could not be written goes nowhere: Python would try once more when it ends, and exit with 120."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(bouncemilter.__version__, prog_name="bouncemilter")
def main() -> None:
    """Bounce handling for mail servers: a milter and a VERP return-path sink.

    Exit codes: 0 yes or done, 1 no, 2 usage, 65 bad data, 69 unavailable, 74 I/O error, 75 try again later,
    77 no permission, 78 bad configuration, 130 interrupted.
    """

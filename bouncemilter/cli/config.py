"""`config`: what other programs need to know of us."""

from __future__ import annotations

from pathlib import Path

import click

from bouncemilter.cli import configuration, postfix
from bouncemilter.doctor.view import postfix_view
from bouncemilter.settings import reference


@click.group("config")
def command() -> None:
    """Print configuration: our own reference, and the lines for the mail server."""


@command.command("reference")
def reference_() -> None:
    """Print the reference configuration: every key with its meaning and default."""
    click.echo(reference.render(), nl=False)


@command.command("postfix")
@configuration.option
def postfix_(config: Path) -> None:
    """Print every line that Postfix's main.cf, master.cf and tables need, explained."""
    settings = configuration.read(config, environment=False)
    click.echo(str(postfix.snippet(postfix_view(settings))), nl=False)

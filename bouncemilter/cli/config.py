"""`config`: what other programs need to know of us."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from bouncemilter.assembly.site import site_of
from bouncemilter.cli import configuration
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.mta.postfix.snippet import snippet as postfix_snippet
from bouncemilter.mta.sendmail.snippet import snippet as sendmail_snippet
from bouncemilter.mta.site import Site
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
    _print(config, postfix_snippet)


@command.command("sendmail")
@configuration.option
def sendmail_(config: Path) -> None:
    """Print every line that Sendmail's sendmail.mc and mailertable need, explained."""
    _print(config, sendmail_snippet)


def _print(config: Path, snippet: Callable[[Site], object]) -> None:
    settings = configuration.read(config, environment=False)
    try:
        click.echo(str(snippet(site_of(settings))), nl=False)
    except ValueError as error:
        raise Failure(str(error), Exit.CONFIGURATION) from None

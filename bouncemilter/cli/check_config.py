"""`check-config`: every fault of the configuration, before the daemon finds it."""

from __future__ import annotations

from pathlib import Path

import click

from bouncemilter.assembly.pipeline import classifier
from bouncemilter.classify import RulesError
from bouncemilter.cli import configuration
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.settings import checks


@click.command("check-config")
@configuration.option
@click.option("--no-environment", is_flag=True, help="Don't look whether the files and folders named exist.")
def command(config: Path, no_environment: bool) -> None:
    """Check the configuration file and the operator's rules: all errors at once, exit 78 if there are any."""
    settings = configuration.read(config, environment=not no_environment)
    for key, text in checks.warnings(settings):
        click.echo(f"{config}: {key}: warning: {text}", err=True)
    try:
        classifier(settings)
    except RulesError as error:
        raise Failure(str(error), Exit.CONFIGURATION) from None
    click.echo(f"{config}: fine")

"""The option `--config`, and reading what it names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from bouncemilter.classify import RulesError
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.dkim import PublicKeyError
from bouncemilter.returnpath import KeyFileError
from bouncemilter.settings import DEFAULT_PATH, Settings, SettingsError, load

UNUSABLE: Final = (RulesError, KeyFileError, PublicKeyError)
"""A file that the configuration names can't be used: its text says which, and why."""


def option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option `--config`, as the parameter `config`."""
    return click.option(
        "-c",
        "--config",
        type=click.Path(path_type=Path),
        default=DEFAULT_PATH,
        show_default=True,
        envvar="BOUNCEMILTER_CONFIG",
        help="The configuration file.",
    )(command)


def read(path: Path, *, environment: bool = True) -> Settings:
    """The settings, or Failure 78 with every fault of the file."""
    try:
        return load(path, environment=environment)
    except SettingsError as error:
        raise Failure(str(error), Exit.CONFIGURATION) from None

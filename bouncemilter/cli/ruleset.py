"""The classifier that a command asks for: the built-in rules, or those and a folder of own ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bouncemilter import classify
from bouncemilter.classify import Classifier
from bouncemilter.cli.exits import Exit, Failure


def option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option `--rules`, as the parameter `extra`."""
    return click.option(
        "--rules",
        "extra",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="A folder of own rules (rules.d).",
    )(command)


def load(extra: Path | None) -> Classifier:
    """The classifier, or Failure 78 with every fault of the files."""
    try:
        return classify.load(extra) if extra else classify.builtin()
    except classify.RulesError as error:
        raise Failure(str(error), Exit.CONFIGURATION) from error

"""The option `--lang`: the language of what people read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from bouncemilter.language import Language


def option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option `--lang`, as the parameter `lang`."""
    return click.option(
        "--lang",
        type=click.Choice([each.value for each in Language]),
        default=Language.EN.value,
        show_default=True,
        callback=lambda _context, _parameter, value: Language(value),
        help="The language of advice and reasons.",
    )(command)

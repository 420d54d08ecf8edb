"""Output: tables for people, JSON for programs. Foreign strings are text, never markup, and hold no controls."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bouncemilter import text


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print a table on standard output; as wide as its content where that is no terminal."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=1000)
    found = Table(*headings, title=Text(title) if title else None, title_justify="left", box=None, pad_edge=False)
    for row in rows:
        found.add_row(*(Text(cell(each)) for each in row))
    console.print(found)


def cell(value: object) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return text.visible(str(value))


def line(words: str) -> None:
    """Print one line that may hold foreign text."""
    click.echo(text.visible(words))


def json_line(value: object) -> None:
    """Print a value as one line of JSON, in ASCII."""
    click.echo(json.dumps(plain(value), ensure_ascii=True))


def plain(value: Any) -> Any:
    """Dataclasses, enums and times as what JSON has; `class_` becomes `class`. What repr() leaves out is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = (field.name for field in dataclasses.fields(value) if field.repr)
        return {name.rstrip("_"): plain(getattr(value, name)) for name in shown}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return value

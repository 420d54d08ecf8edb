"""A bar for long work: on standard error, and only where that is a terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


@contextlib.contextmanager
def bar(words: str, total: float) -> Iterator[Callable[[float], None]]:
    """A bar for `total` steps; what is yielded takes how many more are done. `words`: ours, no foreign text."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _more: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(words, total=total or None)
        yield lambda more: shown.advance(task, more)

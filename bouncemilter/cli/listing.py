"""What `scrub` and `validate` share: options about the list, errors as exit codes, files that are written together."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from bouncemilter.cli import show
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.spool import PipedList, StandardOutput, is_input, is_output
from bouncemilter.lists import ENCODINGS, Layout, ListError, ListOptions
from bouncemilter.replacement import Replacement, backup

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the argument LIST and the options about it, as the parameters `path` and `list_options`."""
    argument = click.argument("path", metavar="LIST", type=click.Path(path_type=Path))
    return argument(layout_options(command))


def layout_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options about a list, as the parameter `list_options`."""

    @functools.wraps(command)
    def decorated(
        column: str, header: bool | None, encoding: str | None, delimiter: str | None, sheet: str, **others: Any
    ) -> Any:
        parted = _DELIMITERS[delimiter] if delimiter else None
        return command(list_options=ListOptions(column, header, encoding or "", parted, sheet), **others)

    for option in (
        click.option(
            "--sheet", default="", metavar="NAME", help="The sheet of a workbook; else the one with addresses."
        ),
        click.option(
            "--delimiter", type=click.Choice(list(_DELIMITERS)), help="What parts the columns; else found out."
        ),
        click.option("--encoding", type=click.Choice(ENCODINGS), help="Of a text; else found out."),
        click.option(
            "--header/--no-header", default=None, help="Whether the first record names the columns; else found out."
        ),
        click.option("--column", default="", metavar="NAME|NUMBER", help="The column of addresses; else found out."),
    ):
        decorated = option(decorated)
    return decorated


@contextlib.contextmanager
def source(path: Path) -> Iterator[Path]:
    """The file to read for LIST, and errors that name it as the user did."""
    if not is_input(path):
        yield path
        return
    with PipedList(path) as piped:
        try:
            yield piped.path
        except ListError as error:
            raise ListError(str(error).replace(str(piped.path), "the piped list")) from None


@contextlib.contextmanager
def faults(*paths: Path | None) -> Iterator[None]:
    """Errors of lists and files as exit codes. `paths`: what is being worked on, for an error that names no file."""
    try:
        yield
    except ListError as error:
        raise Failure(str(error), Exit.DATA) from None
    except BrokenPipeError:  # of standard output: click ends quietly
        raise
    except OSError as error:
        named = error.filename if isinstance(error.filename, str) else ""
        where = named or ", ".join(dict.fromkeys(str(each) for each in paths if each))
        raise Failure(f"{where}: {error.strerror or error}; nothing was changed", Exit.IO) from None


def beside(path: Path, word: str) -> Path:
    """`list.csv` → `list.WORD.csv`."""
    return path.parent / f"{path.stem}.{word}{path.suffix}"


def refuse_clash(path: Path, target: Path | None, rejected: Path | None) -> None:
    """UsageError where two of LIST, the list that is written and the file of those left out are the same."""
    if target and not is_output(target) and _same(target, path):
        raise click.UsageError("the output is LIST itself")
    if rejected and (is_output(rejected) or any(_same(rejected, each) for each in (path, target) if each)):
        raise click.UsageError("--rejected needs a file of its own")


def _same(one: Path, other: Path) -> bool:
    """Whether two paths are the same file, there or not."""
    return os.path.realpath(one) == os.path.realpath(other)


def figures_beside(target: Path | None) -> contextlib.AbstractContextManager[object]:
    """What is printed goes to standard error where the list goes to standard output."""
    return contextlib.redirect_stdout(sys.stderr) if is_output(target) else contextlib.nullcontext()


def print_layout(path: Path, layout: Layout) -> None:
    """Say what a list was taken for."""
    where = f"column {layout.name}" + (f" of sheet {layout.sheet}" if layout.sheet else "")
    show.line(f"{path}: " + ", ".join(each for each in (layout.format, layout.encoding, where) if each))


class Outcome:
    """The files that a command writes: all of them appear, or none."""

    def __init__(self, stack: contextlib.ExitStack, source: Path) -> None:
        self._stack = stack
        self._source = source
        self._before = source.stat()
        self._files: list[Replacement | StandardOutput] = []

    def file(self, path: Path | None) -> Replacement | StandardOutput | None:
        """One more file; nothing for None. What is asked for first is put in place last."""
        if path is None:
            return None
        found: Replacement | StandardOutput
        found = StandardOutput() if is_output(path) else Replacement(path, self._source)
        self._stack.enter_context(found)
        self._files.insert(0, found)
        return found

    def leave(self, file: Replacement | StandardOutput | None) -> None:
        """A file is not to appear after all."""
        if file:
            self._files.remove(file)

    def settle(self, copy: Path | None = None) -> None:
        """Put all in their places; before the last the source is kept as `copy`. Failure 75: it has changed since."""
        for each in self._files:
            each.finish()
        now = self._source.stat()
        if (now.st_ino, now.st_size, now.st_mtime_ns) != (
            self._before.st_ino,
            self._before.st_size,
            self._before.st_mtime_ns,
        ):
            raise Failure(f"{self._source}: changed while it was read; nothing was written", Exit.TEMPORARY)
        for each in self._files[:-1]:
            each.commit()
        if copy:
            backup(self._source, copy)
        for each in self._files[-1:]:
            each.commit()

"""`suppression export`."""

from __future__ import annotations

import io
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final, TextIO

import click

from bouncemilter import enforcement
from bouncemilter.cli import configuration, show, stream_option
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.storage import with_store
from bouncemilter.cli.suppression import options
from bouncemilter.exchange import writing
from bouncemilter.model import Suppression
from bouncemilter.replacement import Replacement
from bouncemilter.settings import Settings
from bouncemilter.store import Filter, Store
from bouncemilter.stream import Stream

_FORMATS: Final = ("csv", "jsonl", "postfix", "plain")


@click.command("export")
@configuration.option
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default="csv",
    show_default=True,
    help="jsonl has everything; postfix is an access table; plain is one address a line.",
)
@click.option("--stream", default="", metavar="NAME", help="Only the addresses that mail of this [[stream]] refuses.")
@options.filters
@click.option("--raw", is_flag=True, help="CSV cells as they are, also those that a spreadsheet takes for formulas.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; it is replaced when all is there."
)
def export(config: Path, form: str, stream: str, wanted: Filter, raw: bool, output: Path | None) -> None:
    """Write the suppressions in force, by address. What an incident holds back is left out."""
    exported = _Export(form, stream, wanted, raw=raw)

    def write(file: TextIO) -> None:
        # As root, the file is root's and the store its owner's.
        with_store(config, lambda store, settings: exported.write(store, settings, file), lasting=False)

    if output is None:
        write(sys.stdout)
    else:
        _replace(output, write)
    if exported.left_out:
        words = f"{exported.left_out} addresses are left out, since a Postfix table can't hold them (quotes, #)"
        click.echo(f"bouncemilter: {words}", err=True)
    if exported.forgotten:
        words = (
            f"{exported.forgotten} suppressions of forgotten addresses are left out: only the daemon can enforce them"
        )
        click.echo(f"bouncemilter: {words}", err=True)


class _Export:
    """What is written."""

    def __init__(self, form: str, stream: str, wanted: Filter, *, raw: bool) -> None:
        self._form = form
        self._stream_name = stream
        self._wanted = wanted
        self._raw = raw
        self._stream: Stream | None = None
        self.left_out = 0
        """Addresses that a table of Postfix can't hold."""
        self.forgotten = 0
        """Suppressions of addresses that the store has forgotten: there is nothing to write."""

    async def write(self, store: Store, settings: Settings, file: TextIO) -> None:
        """Write all to `file`."""
        self._stream = stream_option.named(settings, self._stream_name) if self._stream_name else None
        if self._form == "csv":
            file.write(writing.heading())
        async for key, found in _by_address(store, self._wanted):
            file.writelines(self._lines(key, found))
        self.forgotten = await store.erasure.blocks()

    def _lines(self, key: str, found: tuple[Suppression, ...]) -> Iterator[str]:
        """What is written of one address; `found`: its suppressions that match."""
        table = self._form == "postfix"
        if table or self._stream:
            refusal = enforcement.certain_refusal(key, found, self._stream)
            if refusal is None:
                return
            if table and not writing.is_for_maps(key):
                self.left_out += 1
            elif table:
                yield writing.map_lines(key, refusal)
            if table:
                return
        if self._form == "plain":
            yield f"{key}\n"
            return
        for each in found:
            yield writing.row(each, raw=self._raw) if self._form == "csv" else writing.json_line(show.plain(each))


async def _by_address(store: Store, wanted: Filter) -> AsyncIterator[tuple[str, tuple[Suppression, ...]]]:
    """Each address with its suppressions that match."""
    key = ""
    found: list[Suppression] = []
    async for each in store.listing.by_address(wanted):
        if each.address_key != key:
            if found:
                yield key, tuple(found)
            key, found = each.address_key, []
        found.append(each)
    if found:
        yield key, tuple(found)


def _replace(path: Path, write: Callable[[TextIO], None]) -> None:
    """Have `write` fill a file that takes the place of `path`, with its permissions; of a new one nobody else's."""
    try:
        with Replacement(path, path if path.exists() else None) as new:
            text = io.TextIOWrapper(new.file, encoding="utf-8", newline="")
            write(text)
            text.detach()
            new.finish()
            new.commit()
    except OSError as error:
        raise Failure(f"{path}: {error.strerror or error}; nothing was changed", Exit.IO) from None

"""`suppression changes`: what was added and removed, for list software."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

import click

from bouncemilter.cli import configuration, show
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.storage import with_store
from bouncemilter.cli.suppression import options
from bouncemilter.exchange.change import change_object
from bouncemilter.settings import Settings
from bouncemilter.store import Store, Told

_PAGE: Final = 1000
_POLL_SECONDS: Final = 1.0
"""Between two looks of --follow."""


@click.command("changes")
@configuration.option
@click.option(
    "--since", type=click.IntRange(min=0), default=0, show_default=True, metavar="CURSOR", help="The last seq seen."
)
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@click.option("--follow", is_flag=True, help="Go on with what comes, until interrupted.")
@options.as_json
def changes(config: Path, since: int, limit: int | None, follow: bool, as_json: bool) -> None:
    """Print additions and removals after a cursor, oldest first; the cursor is the `seq` of the last one seen.

    What has expired by now is among the removals. A removal may be told twice.
    """

    async def tell(store: Store, _: Settings) -> None:
        if not await store.knows_change(since):
            last = await store.last_change()
            words = f"the store knows no change {since}, its last is {last}: was a backup restored? Export all anew"
            raise Failure(words, Exit.DATA)
        seq, left = since, limit
        while left is None or left > 0:
            await store.cursors.tell_expired()
            found = await store.cursors.changes(seq, _PAGE if left is None else min(_PAGE, left))
            for each in found:
                _print(each, as_json=as_json)
                seq = each.change.seq
            left = None if left is None else left - len(found)
            if not found:
                if not follow:
                    return
                sys.stdout.flush()
                await asyncio.sleep(_POLL_SECONDS)

    try:
        with_store(config, tell)
    except KeyboardInterrupt:
        raise SystemExit(Exit.OK) from None


def _print(each: Told, *, as_json: bool) -> None:
    if as_json:
        show.json_line(change_object(each))
        return
    change, found = each.change, each.change.suppression
    what = f"{change.operation:6} {found.address_key} {found.cause} {options.scope_of(found)}"
    show.line(f"{change.seq} {show.cell(change.at)} {what} {change.by}")

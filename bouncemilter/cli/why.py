"""`why ADDRESS`: everything that is known of one address, and what was made of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final, NamedTuple

import click

from bouncemilter import address
from bouncemilter.cli import configuration, language, show
from bouncemilter.cli.casefile import show_file
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.storage import with_store
from bouncemilter.language import Language
from bouncemilter.model import Suppression, Withheld
from bouncemilter.settings import Settings
from bouncemilter.store import Store, StoredEvent

_ALL: Final = 100_000
"""Rows of one address: more than anybody reads, and few enough for the memory."""


@click.command("why")
@configuration.option
@click.argument("written", metavar="ADDRESS")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@language.option
def command(config: Path, written: str, as_json: bool, lang: Language) -> None:
    """Show why an address is, was or is not suppressed: exit 0 if it is now, 1 if not.

    First the suppressions, then every event, then the mail that the address did not get, each oldest first, with the
    evidence as it was recorded. All times are UTC.

    \b
    bouncemilter why jan@wp.pl --lang pl
    """

    async def find(store: Store, settings: Settings) -> _Found:
        key = address.key(written, fold_local_part=settings.policy.fold_local_part)
        if not key:
            raise Failure(f"not an e-mail address: {show.cell(written)}", Exit.DATA)
        return _Found(
            key,
            await store.listing.of(key),
            await store.events_of(key, _ALL),
            await store.sent.withheld_from(key, _ALL),
        )

    key, suppressions, events, withheld = with_store(config, find)
    now = dt.datetime.now(dt.UTC)
    suppressed = any(each.in_force(now) for each in suppressions)
    if as_json:
        show.json_line(
            {
                "address_key": key,
                "suppressed": suppressed,
                "suppressions": suppressions,
                "events": events,
                "withheld": withheld,
            }
        )
    else:
        show_file(key, suppressions, events[::-1], withheld[::-1], now, lang)
    raise SystemExit(Exit.OK if suppressed else Exit.NO)


class _Found(NamedTuple):
    """What the store knows of an address."""

    key: str
    suppressions: tuple[Suppression, ...]
    events: tuple[StoredEvent, ...]
    withheld: tuple[Withheld, ...]

"""`status`: one screen for the operator."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from pathlib import Path
from typing import Final

import click

from bouncemilter.assembly import health
from bouncemilter.cli import configuration, language, show
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.storage import with_store
from bouncemilter.health import host, stored, subject
from bouncemilter.health.findings import examine
from bouncemilter.health.gauges import gauges
from bouncemilter.health.snapshot import Gauges, Snapshot
from bouncemilter.language import Language
from bouncemilter.settings import Settings
from bouncemilter.store import Store, StoreUnavailable
from bouncemilter.web import client

AGAIN_SECONDS: Final = 1.0
"""After so long an open balance is looked at again: one look may fall between two counts."""


@click.command("status")
@configuration.option
@language.option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(config: Path, lang: Language, as_json: bool) -> None:
    """Show how this host fares: daemon, store, incidents, blocklists, disk, keys. Changes nothing.

    Exit 0 if all is well, 1 if something needs attention.
    """

    async def find(store: Store, settings: Settings) -> Snapshot:
        seen = await _seen(settings)
        try:
            return await stored.look(store, seen)
        except StoreUnavailable as error:
            return dataclasses.replace(seen, store_error=str(error))

    settings = configuration.read(config, environment=False)
    try:
        seen = with_store(config, find)
    except Failure as failure:  # what the store says is one line of the screen
        if failure.exit_code == Exit.PERMISSION:
            raise
        seen = dataclasses.replace(asyncio.run(_seen(settings)), store_error=failure.message)
    findings = examine(seen, health.limits(settings), lang)
    well = all(each.well for each in findings)
    if as_json:
        show.json_line({"at": seen.at, "well": well, "findings": findings})
    else:
        rows = [("ok" if each.well else "!!", subject.name(each.subject, lang), each.text) for each in findings]
        show.table(("", "", ""), rows)
    raise SystemExit(Exit.OK if well else Exit.NO)


async def _seen(settings: Settings) -> Snapshot:
    seen = host.look(health.files(settings), dt.datetime.now(dt.UTC))
    if not settings.web.enabled:
        return seen
    ready, obstacles = await client.readiness(settings.web.address)
    found = await _gauges(settings.web.address)
    if found and found.open_balances:
        await asyncio.sleep(AGAIN_SECONDS)
        again = await _gauges(settings.web.address)
        kept = set(again.open_balances if again else ()) & set(found.open_balances)
        found = dataclasses.replace(found, open_balances=tuple(sorted(kept)))
    silent = settings.web.address if ready is None else ""
    return dataclasses.replace(seen, ready=ready, silent=silent, obstacles=obstacles, gauges=found)


async def _gauges(address: str) -> Gauges | None:
    found = await client.samples(address)
    return None if found is None else gauges(found)

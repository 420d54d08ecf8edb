"""What the store tells of the host's state."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from typing import Final

from bouncemilter.health.snapshot import RECENT, Snapshot
from bouncemilter.model import Category, Kind
from bouncemilter.statistics import blocklists
from bouncemilter.store import Store
from bouncemilter.store.figures import Column, Wanted

LISTS: Final = 20
"""The most frequent blocklists; whoever may bounce to us can make up names of lists."""


async def look(store: Store, seen: Snapshot) -> Snapshot:
    """What was seen otherwise, with what the store knows. StoreUnavailable while it can't be read."""
    source = store.figures
    latest = await source.latest()
    incidents = tuple(each for each in await store.incidents.newest() if each.is_open(seen.at))
    wanted = Wanted(seen.at - RECENT, seen.at + dt.timedelta(minutes=1))
    listed, blocked = [
        [(each.diagnostic, each.n) for each in await source.failures(part, (Column.TEMPLATE,))]
        for part in (
            dataclasses.replace(wanted, category=Category.BLOCKLISTED),
            dataclasses.replace(wanted, category=Category.BLOCKED_BY_PROVIDER),
        )
    ]
    too_big = await source.failures(dataclasses.replace(wanted, category=Category.MESSAGE_TOO_BIG), ())
    # In a thread: whoever may bounce to us can bring thousands of wordings, and mail must not wait.
    hits = await asyncio.to_thread(blocklists.hits, listed, blocked)
    return dataclasses.replace(
        seen,
        heartbeat=latest.heartbeat,
        last_bounce=latest.bounce,
        incidents=incidents,
        hits=hits[:LISTS],
        too_big=sum(each.n for each in too_big if each.kind is Kind.BOUNCE),
    )

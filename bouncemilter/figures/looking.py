"""What the store tells of the host's state."""

from __future__ import annotations

import dataclasses
import datetime as dt

from bouncemilter.figures import blocklists
from bouncemilter.figures.health import RECENT, Seen
from bouncemilter.model import Category, Kind
from bouncemilter.store import Store
from bouncemilter.store.figures import Column, Wanted


async def look(store: Store, seen: Seen) -> Seen:
    """What was seen otherwise, with what the store knows. StoreUnavailable while it can't be read."""
    source = store.figures
    latest = await source.latest()
    incidents = tuple(each for each in await store.incidents() if each.is_open(seen.at))
    wanted = Wanted(seen.at - RECENT, seen.at + dt.timedelta(minutes=1))
    refused = await source.failures(dataclasses.replace(wanted, category=Category.BLOCKLISTED), (Column.TEMPLATE,))
    too_big = await source.failures(dataclasses.replace(wanted, category=Category.MESSAGE_TOO_BIG), ())
    return dataclasses.replace(
        seen,
        heartbeat=latest.heartbeat,
        last_bounce=latest.bounce,
        incidents=incidents,
        hits=blocklists.hits((each.diagnostic, each.n) for each in refused),
        too_big=sum(each.n for each in too_big if each.kind is Kind.BOUNCE),
    )

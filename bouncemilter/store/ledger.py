"""What is known of the addresses of one batch while it is judged: read once, kept up to date in memory."""

from __future__ import annotations

import bisect
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from operator import attrgetter
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.model import Cause, Decision, Effect, Event, History, Mark, Scope
from bouncemilter.store import rows
from bouncemilter.store.dialect import chunks
from bouncemilter.store.schema import events, suppressions
from bouncemilter.store.suppressions import Slot, SuppressionBatch

MARKS_WINDOW: Final = dt.timedelta(days=33)
"""How far back marks are read. Policy counts within 32 days; the day more is for its inclusive edges."""
MARKS: Final = 1000
"""Marks read for one address, the newest: policy needs a handful, and a flood on one address must not fill memory."""

_at = attrgetter("at")


class Ledger:
    """Histories and suppressions of a set of addresses."""

    def __init__(self, batch: SuppressionBatch) -> None:
        self._batch = batch
        self._marks: defaultdict[str, list[Mark]] = defaultdict(list)
        self._successes: dict[str, dt.datetime] = {}
        self._in_force: defaultdict[str, dict[tuple[Scope, str, Cause], Slot]] = defaultdict(dict)

    async def load(self, connection: AsyncConnection, new: Iterable[Event]) -> None:
        """Read what the store knows of the addresses of `new` events."""
        named = [event for event in new if event.address_key]
        if not named:
            return
        oldest = min(event.at for event in named) - MARKS_WINDOW
        for keys in chunks(sorted({event.address_key for event in named})):
            for row in (await connection.execute(_MARKS, {"keys": keys, "oldest": oldest})).mappings():
                self._marks[row["address_key"]].append(rows.mark(row))
            for key, at in await connection.execute(_SUCCESSES, {"keys": keys}):
                self._successes[key] = at
            for row in (await connection.execute(_SUPPRESSIONS, {"keys": keys})).mappings():
                slot = (Scope(row["scope"]), row["scope_value"], Cause(row["cause"]))
                self._in_force[row["address_key"]][slot] = Slot(row["expires_at"], number=row["id"])

    def history(self, event: Event) -> History:
        """The history of its address as `event` finds it."""
        key = event.address_key
        if not key:
            return History()
        marks = self._marks.get(key, [])
        first = bisect.bisect_left(marks, event.at - MARKS_WINDOW, key=_at)
        return History(
            tuple(marks[first:]),
            self._successes.get(key),
            frozenset(name for name, slot in self._in_force.get(key, {}).items() if slot.reaches(event.at)),
        )

    def add(self, event: Event, decision: Decision) -> None:
        """What was decided about `event` is known to the events after it."""
        key = event.address_key
        if not key:
            return
        if decision.counts:
            bisect.insort(self._marks[key], Mark.of(event), key=_at)
        if decision.effect is Effect.SUCCESS:
            self._successes[key] = max(event.at, self._successes.get(key, event.at))
        if decision.effect is Effect.SUPPRESSED and decision.sentence:
            self._suppress(event, decision)

    def _suppress(self, event: Event, decision: Decision) -> None:
        sentence = decision.sentence
        assert sentence is not None
        name = (sentence.scope, sentence.scope_value, sentence.cause)
        slots = self._in_force[event.address_key]
        current = slots.get(name)
        if current is not None:
            if current.reaches(event.at):
                return
            self._batch.expire(current)
        slots[name] = self._batch.add(rows.suppression_row(event, decision, sentence, self._batch.now))


_keys: Final[sa.BindParameter[str]] = sa.bindparam("keys", expanding=True)
_newest_first = (
    sa.select(
        events.c.address_key,
        events.c.at,
        events.c.message_key,
        events.c.category,
        events.c.trust,
        events.c.forwarded,
        events.c.kind,
        events.c.sender_domain,
        sa.func.row_number().over(partition_by=events.c.address_key, order_by=events.c.at.desc()).label("place"),
    )
    .where(
        events.c.address_key.in_(_keys),
        events.c.at >= sa.bindparam("oldest"),
        events.c.counted.is_(sa.true()),
        events.c.excused.is_(sa.false()),
    )
    .subquery()
)
_MARKS: Final = sa.select(_newest_first).where(_newest_first.c.place <= MARKS).order_by(_newest_first.c.at)
_SUCCESSES: Final = (
    sa.select(events.c.address_key, sa.func.max(events.c.at))
    .where(events.c.address_key.in_(_keys), events.c.effect == sa.literal_column(f"'{Effect.SUCCESS}'"))
    .group_by(events.c.address_key)
)
_SUPPRESSIONS: Final = sa.select(suppressions).where(
    suppressions.c.address_key.in_(_keys), suppressions.c.ended_at.is_(None)
)

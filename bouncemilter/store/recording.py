"""Recording messages: many at once, judged in order, written with a few statements."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.model import Category, Decision, Event, Front, History, Kind, Trust
from bouncemilter.store import rows
from bouncemilter.store.dialect import chunks, insert_new, insert_or_update
from bouncemilter.store.ledger import Ledger
from bouncemilter.store.schema import daily_counts, event_ids, events
from bouncemilter.store.suppressions import SuppressionBatch


@dataclass(frozen=True, slots=True)
class Entry:
    """One event to record, and how to judge it."""

    event: Event
    judge: Callable[[History], Decision]
    """Policy, closed over the event. Pure: a batch that fails is judged again."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One more in the counts that are kept for good, by the UTC day on which it is recorded."""

    front: Front
    kind: Kind
    category: Category | None
    trust: Trust | None
    overflow: bool = False
    """Counted only, since the caps on unauthenticated mail were passed."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one entry."""

    event_id: str
    duplicate: bool
    decision: Decision | None
    """For a duplicate the decision as it was stored; None if its event is deleted by now."""


@dataclass(frozen=True, slots=True)
class Recording:
    """All rows of one message."""

    entries: Sequence[Entry]
    tallies: Sequence[Tally]


@dataclass(slots=True)
class _Batch:
    fresh: set[str]
    decided: dict[str, Decision | None]
    """By event id: those that were there before, and those of this batch."""
    ledger: Ledger
    rows: list[dict[str, object]] = field(default_factory=list)
    counts: Counter[Tally] = field(default_factory=Counter)

    def judge(self, recording: Recording) -> tuple[Recorded, ...]:
        """Decide on one message; its copies of what is known already are duplicates."""
        recorded = tuple(self._judge(entry) for entry in recording.entries)
        # A message that comes again, whole, was counted the first time.
        if not recorded or not all(each.duplicate for each in recorded):
            self.counts.update(recording.tallies)
        return recorded

    def _judge(self, entry: Entry) -> Recorded:
        event = entry.event
        if event.id not in self.fresh:
            return Recorded(event.id, duplicate=True, decision=self.decided.get(event.id))
        decision = entry.judge(self.ledger.history(event))
        self.fresh.remove(event.id)
        self.decided[event.id] = decision
        self.ledger.add(event, decision)
        self.rows.append(rows.event_row(event, decision))
        return Recorded(event.id, duplicate=False, decision=decision)


async def record(
    connection: AsyncConnection, recordings: Sequence[Recording], now: dt.datetime
) -> list[tuple[Recorded, ...]]:
    """Judge and write `recordings` within the transaction of `connection`; results in their order."""
    named = {entry.event.id: entry.event for recording in recordings for entry in recording.entries}
    fresh = await _claim(connection, named, now)
    known = await _decisions(connection, named.keys() - fresh)
    suppressions = SuppressionBatch(now)
    batch = _Batch(fresh, known, Ledger(suppressions))
    await batch.ledger.load(connection, (named[event_id] for event_id in fresh))
    results = [batch.judge(recording) for recording in recordings]
    if batch.rows:
        await connection.execute(sa.insert(events), batch.rows)
    await suppressions.write(connection)
    if batch.counts:
        await _count(connection, batch.counts, now)
    return results


async def _claim(connection: AsyncConnection, ids: Iterable[str], now: dt.datetime) -> set[str]:
    """Take the ids that nobody has recorded; those that are ours now. In order, so that two servers never deadlock."""
    claims = [{"id": event_id, "at": now} for event_id in sorted(ids)]
    if not claims:
        return set()
    statement = insert_new(connection, event_ids).returning(event_ids.c.id)
    return set((await connection.execute(statement, claims)).scalars())


async def _decisions(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, Decision | None]:
    found: dict[str, Decision | None] = {}
    for some in chunks(sorted(ids)):
        for row in (await connection.execute(_DECISIONS, {"ids": some})).mappings():
            found[row["id"]] = rows.decision(row)
    return found


async def _count(connection: AsyncConnection, counts: Counter[Tally], now: dt.datetime) -> None:
    found = [
        {
            "day": now.astimezone(dt.UTC).date(),
            "front": tally.front,
            "kind": tally.kind,
            "category": tally.category or "",
            "trust": tally.trust or "",
            "overflow": tally.overflow,
            "n": n,
        }
        for tally, n in counts.items()
    ]
    found.sort(key=lambda row: tuple(str(value) for value in row.values()))
    await connection.execute(insert_or_update(connection, daily_counts, "n", add=True), found)


_DECISIONS = sa.select(
    events.c.id,
    events.c.effect,
    events.c.reason,
    events.c.counted,
    events.c.watched,
    events.c.sentence_scope,
    events.c.sentence_scope_value,
    events.c.sentence_cause,
    events.c.sentence_expires_at,
).where(events.c.id.in_(sa.bindparam("ids", expanding=True)))

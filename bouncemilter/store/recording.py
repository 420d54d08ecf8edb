"""Recording messages: many at once, judged in order, written with a few statements."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.model import Category, Decision, Event, Front, History, IncidentKind, Kind, Trust
from bouncemilter.store import rows
from bouncemilter.store.dialect import chunks, insert_new, insert_or_update
from bouncemilter.store.fuse import Fuse, Guard
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
    opened: IncidentKind | None = None
    """Set where this event was the one too many."""


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
    guard: Guard
    rows: list[dict[str, object]] = field(default_factory=list)
    repeated: list[dict[str, object]] = field(default_factory=list)
    """Events whose sentence is not the first of its kind."""
    counts: Counter[Tally] = field(default_factory=Counter)

    def judge(self, recording: Recording) -> list[bool]:
        """Decide on one message; whether each of its entries is new. Copies of what is known already are duplicates."""
        new = [self._judge(entry) for entry in recording.entries]
        # A message that comes again, whole, was counted the first time.
        if not new or any(new):
            self.counts.update(recording.tallies)
        return new

    def _judge(self, entry: Entry) -> bool:
        event = entry.event
        if event.id not in self.fresh:
            return False
        self.fresh.remove(event.id)
        ruling = self.guard.judge(event, entry.judge(self.ledger.history(event)), self.ledger)
        slot = self.ledger.add(event, ruling.decision, excused=ruling.excused)
        row = rows.event_row(event, ruling.decision)
        self.decided[event.id] = ruling.decision
        self.rows.append(row)
        sentence = ruling.decision.sentence
        if sentence and sentence.times > 1:
            self.repeated.append({"event_id": event.id, "times": sentence.times})
        self.decided.update(self.guard.settle(event, ruling, row, slot))
        return True

    def recorded(self, recording: Recording, new: list[bool]) -> tuple[Recorded, ...]:
        """What became of one message, once all are judged: a later one may have made an incident of an earlier."""
        return tuple(
            Recorded(
                entry.event.id,
                duplicate=not fresh,
                decision=self.decided.get(entry.event.id),
                opened=self.guard.opened.get(entry.event.id) if fresh else None,
            )
            for entry, fresh in zip(recording.entries, new, strict=True)
        )


async def record(
    connection: AsyncConnection, recordings: Sequence[Recording], now: dt.datetime, fuse: Fuse
) -> list[tuple[Recorded, ...]]:
    """Judge and write `recordings` within the transaction of `connection`; results in their order."""
    named = {entry.event.id: entry.event for recording in recordings for entry in recording.entries}
    fresh = await _claim(connection, named, now)
    known = await _decisions(connection, named.keys() - fresh)
    new_events = [named[event_id] for event_id in fresh]
    await fuse.prepare(connection)
    for every in (False, True):
        suppressions = SuppressionBatch(now)
        batch = _Batch(set(fresh), dict(known), Ledger(suppressions), Guard(fuse, suppressions))
        await batch.ledger.load(connection, new_events, recorded=fuse.recorded_since is not None)
        await batch.guard.load(connection, new_events, batch.ledger, every=every)
        new = [batch.judge(recording) for recording in recordings]
        if not batch.guard.missed:
            break
    await batch.guard.write(connection)
    if batch.rows:
        await connection.execute(sa.insert(events), batch.rows)
    if batch.repeated:
        await connection.execute(_REPEATED, batch.repeated)
    await batch.guard.mark(connection)
    await suppressions.write(connection)
    if batch.counts:
        await _count(connection, batch.counts, now)
    return [batch.recorded(recording, each) for recording, each in zip(recordings, new, strict=True)]


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


_REPEATED = (
    sa.update(events).where(events.c.id == sa.bindparam("event_id")).values(sentence_times=sa.bindparam("times"))
)
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
    events.c.sentence_times,
).where(events.c.id.in_(sa.bindparam("ids", expanding=True)))

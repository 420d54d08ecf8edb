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

from bouncemilter.model import (
    Cause,
    Class,
    Decision,
    Effect,
    Event,
    History,
    Kind,
    Mark,
    Probation,
    Scope,
    SentDays,
    Sentence,
    Trust,
    address_hash,
)
from bouncemilter.store import rows, sent
from bouncemilter.store.dialect import chunks
from bouncemilter.store.schema import events, suppressions
from bouncemilter.store.suppressions import Slot, SuppressionBatch

MARKS_WINDOW: Final = dt.timedelta(days=33)
"""How far back marks are read. Policy counts within 32 days; the day more is for its inclusive edges."""
MARKS: Final = 1000
"""Marks read for one address, the newest: policy needs a handful, and a flood on one address must not fill memory."""

_at = attrgetter("at")
_SOFT: Final = (Scope.GLOBAL, "", Cause.SOFT)
_DECIDED_BY_SUCCESS: Final = (Cause.HARD, Cause.SOFT)


class Ledger:
    """Histories and suppressions of a set of addresses."""

    def __init__(self, batch: SuppressionBatch) -> None:
        self._batch = batch
        self._marks: defaultdict[str, list[Mark]] = defaultdict(list)
        self._successes: dict[str, dt.datetime] = {}
        self._in_force: defaultdict[str, dict[tuple[Scope, str, Cause], Slot]] = defaultdict(dict)
        self._sent: dict[int, SentDays] = {}
        self._failures: dict[str, list[dt.datetime]] = {}

    async def load(self, connection: AsyncConnection, new: Iterable[Event], *, recorded: bool = False) -> None:
        """Read what the store knows of the addresses of `new` events; `recorded`: there are records of sent mail."""
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
                self._in_force[row["address_key"]][slot] = Slot(
                    row["expires_at"], row["id"], None, row["times"], row["pending"], row["incident"]
                )
        if recorded:
            await self._load_sent(connection, {event.address_key for event in named}, oldest)

    async def _load_sent(self, connection: AsyncConnection, keys: set[str], oldest: dt.datetime) -> None:
        self._sent = await sent.days(connection, (address_hash(key) for key in keys))
        # What was sent after a soft failure, and did not fail, matters for those only that have failed softly.
        watched = [
            key
            for key in keys
            if address_hash(key) in self._sent
            and (
                _SOFT in self._in_force.get(key, {})
                or any(mark.class_ is Class.SOFT for mark in self._marks.get(key, ()))
            )
        ]
        self._failures.update((key, []) for key in watched)
        for some in chunks(sorted(watched)):
            for key, at in await connection.execute(_FAILURES, {"keys": some, "oldest": oldest}):
                self._failures[key].append(at)

    def history(self, event: Event) -> History:
        """The history of its address as `event` finds it."""
        key = event.address_key
        if not key:
            return History()
        marks = self._marks.get(key, [])
        first = bisect.bisect_left(marks, event.at - MARKS_WINDOW, key=_at)
        slots = self._in_force.get(key)
        if not slots:
            return History(tuple(marks[first:]), self._last_success(key, event.at))
        soft = slots.get(_SOFT)
        expired = soft is not None and not soft.pending and soft.expired(event.at)
        return History(
            tuple(marks[first:]),
            self._last_success(key, event.at),
            frozenset(name for name, slot in slots.items() if slot.reaches(event.at)),
            frozenset(name for name, slot in slots.items() if slot.pending and not slot.expired(event.at)),
            Probation(soft.expires_at, soft.times) if soft and soft.expires_at and expired else None,
        )

    def _last_success(self, key: str, at: dt.datetime) -> dt.datetime | None:
        """The newest report of a success, or a later message that has not failed."""
        found = [self._successes[key]] if key in self._successes else []
        if key in self._failures:
            proven = self._sent[address_hash(key)].proven(self._failures[key], at)
            found += [proven] if proven else []
        return max(found, default=None)

    def knows(self, key: str) -> bool:
        """Whether an address has failed or was suppressed before."""
        return key in self._marks or key in self._in_force

    def sent_days(self, key: str) -> SentDays | None:
        """When the address was written to; None where no mail to it was recorded."""
        return self._sent.get(address_hash(key)) if self._sent else None

    def failures(self, key: str) -> Iterable[dt.datetime]:
        """When the address failed, as far as it counts."""
        return (mark.at for mark in self._marks.get(key, ()))

    def slot(self, key: str, sentence: Sentence) -> Slot | None:
        """What is not ended of that scope and cause."""
        return self._in_force.get(key, {}).get((sentence.scope, sentence.scope_value, sentence.cause))

    def add(self, event: Event, decision: Decision, *, excused: bool = False) -> Slot | None:
        """What was decided about `event` is known to the events after it; the suppression that is new, if any."""
        key = event.address_key
        if not key:
            return None
        if decision.counts and not excused:
            bisect.insort(self._marks[key], Mark.of(event), key=_at)
            if key in self._failures:
                self._failures[key].append(event.at)
        if decision.effect is Effect.SUCCESS:
            self._successes[key] = max(event.at, self._successes.get(key, event.at))
            self._clear(event)
        if decision.effect in (Effect.SUPPRESSED, Effect.PENDING) and decision.sentence:
            return self._suppress(event, decision, decision.sentence)
        return None

    def _suppress(self, event: Event, decision: Decision, sentence: Sentence) -> Slot | None:
        name = (sentence.scope, sentence.scope_value, sentence.cause)
        slots = self._in_force[event.address_key]
        current = slots.get(name)
        if current is not None:
            if current.pending:
                if decision.effect is Effect.PENDING:
                    return None
                self._batch.decide(current, event.at, "policy")
            elif current.reaches(event.at):
                return None
            else:
                self._batch.expire(current)
        slots[name] = self._batch.add(rows.suppression_row(event, decision, sentence, self._batch.now))
        return slots[name]

    def _clear(self, event: Event) -> None:
        """A sign of life decides what an incident holds back."""
        slots = self._in_force.get(event.address_key, {})
        for name in [name for name, slot in slots.items() if slot.pending and name[2] in _DECIDED_BY_SUCCESS]:
            self._batch.decide(slots.pop(name), event.at, "success")


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
_FAILURES: Final = sa.select(events.c.address_key, events.c.at).where(
    events.c.address_key.in_(_keys),
    events.c.at >= sa.bindparam("oldest"),
    events.c.kind == sa.literal_column(f"'{Kind.BOUNCE}'"),
    events.c.trust != sa.literal_column(f"'{Trust.NONE}'"),
)
_SUPPRESSIONS: Final = sa.select(suppressions).where(
    suppressions.c.address_key.in_(_keys), suppressions.c.ended_at.is_(None)
)

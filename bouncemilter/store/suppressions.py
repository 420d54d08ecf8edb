"""Writing suppressions: added, ended, and each change in the change log of the same transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.model import Cause, Scope, Sentence, Suppression
from bouncemilter.store import rows
from bouncemilter.store.dialect import insert_new
from bouncemilter.store.rows import Operation
from bouncemilter.store.schema import events, suppression_changes, suppressions

if TYPE_CHECKING:
    from bouncemilter.store.incidents import OpenIncident

EXPIRY: Final = "expiry"
"""Who ended a suppression whose time was over when a new one came."""


@dataclass(slots=True, eq=False)
class Slot:
    """The one row that is not ended for an address, scope, scope value and cause; perhaps not written yet."""

    expires_at: dt.datetime | None
    number: int | None = None
    """suppressions.id, once it is known."""
    row: dict[str, object] | None = None
    """What will be inserted."""
    times: int = 1
    """As in model.Sentence."""
    pending: bool = False
    incident: int | OpenIncident | None = None
    """Its number, or itself while it has none."""

    def reaches(self, at: dt.datetime) -> bool:
        """Whether it is in force at `at`."""
        return not self.pending and not self.expired(at)

    def expired(self, at: dt.datetime) -> bool:
        """Whether its time is over at `at`."""
        return self.expires_at is not None and at >= self.expires_at


class SuppressionBatch:
    """The suppressions that one batch of events adds and ends, written at its end with a few statements."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self._added: list[tuple[Slot, dict[str, object]]] = []
        self._ended: list[dict[str, object]] = []
        self._changes: list[tuple[Operation, Slot]] = []

    def add(self, row: dict[str, object]) -> Slot:
        """A new suppression; `event_id` is distinct within a batch, since an event has one sentence."""
        expires_at, times = row["expires_at"], row["times"]
        assert expires_at is None or isinstance(expires_at, dt.datetime)
        assert isinstance(times, int)
        slot = Slot(expires_at, row=row, times=times)
        self._added.append((slot, row))
        self._changes.append((Operation.ADD, slot))
        return slot

    def hold(self, slot: Slot, incident: OpenIncident) -> None:
        """One of those added belongs to an incident: it is written as pending, and nobody hears of it."""
        slot.pending, slot.incident = True, incident

    def decide(self, slot: Slot, at: dt.datetime, by: str) -> None:
        """End one that is pending: the address's next message has decided it."""
        self._end(slot, at, by)

    def expire(self, slot: Slot) -> None:
        """End one whose time is over."""
        self._end(slot, slot.expires_at, EXPIRY)
        self._changes.append((Operation.REMOVE, slot))

    def _end(self, slot: Slot, at: dt.datetime | None, by: str) -> None:
        if slot.row is None:
            self._ended.append({"number": slot.number, "ended_at": at, "ended_by": by})
        else:  # came and went within this batch: old mail, read in one go
            slot.row.update(ended_at=at, ended_by=by)

    async def write(self, connection: AsyncConnection) -> None:
        """Everything, in the order in which it was decided."""
        if self._ended:
            await connection.execute(_END, self._ended)
        for slot, row in self._added:
            if slot.incident is not None:
                assert not isinstance(slot.incident, int)
                row.update(pending=True, incident=slot.incident.number)
        if self._added:
            inserted = await connection.execute(
                insert_new(connection, suppressions).returning(suppressions.c.id, suppressions.c.event_id),
                [row for _, row in self._added],
            )
            numbers = {event_id: number for number, event_id in inserted}
            for slot, row in self._added:
                slot.number = numbers.get(row["event_id"])
        logged = [
            _change(operation, slot, self.now)
            for operation, slot in self._changes
            if slot.number is not None and not slot.pending
        ]
        if logged:
            await connection.execute(sa.insert(suppression_changes), logged)


@dataclass(frozen=True, slots=True)
class Suppressing:
    """A suppression that an operator or an import orders."""

    address_key: str
    address: str
    sentence: Sentence
    by: str
    note: str

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> Suppression:
        """Add it; the one in force is left as it is and returned."""
        sentence = self.sentence
        same = (
            suppressions.c.address_key == self.address_key,
            suppressions.c.scope == sentence.scope,
            suppressions.c.scope_value == sentence.scope_value,
            suppressions.c.cause == sentence.cause,
            suppressions.c.ended_at.is_(None),
        )
        current = (await connection.execute(sa.select(suppressions).where(*same))).mappings().one_or_none()
        if current is not None:
            found = rows.suppression(current)
            if found.in_force(now):
                return found
            at, by = (now, self.by) if found.pending else (found.expires_at, EXPIRY)
            await connection.execute(_END, [{"number": found.id, "ended_at": at, "ended_by": by}])
            if not found.pending:
                await log(connection, Operation.REMOVE, [found.id], now, by)
        inserted = await connection.execute(
            sa.insert(suppressions).returning(suppressions),
            {
                "address_key": self.address_key,
                "address": self.address,
                "scope": sentence.scope,
                "scope_value": sentence.scope_value,
                "cause": sentence.cause,
                "created_at": now,
                "expires_at": sentence.expires_at,
                "created_by": self.by,
                "note": self.note,
            },
        )
        added = rows.suppression(inserted.mappings().one())
        await log(connection, Operation.ADD, [added.id], now, self.by, self.note)
        return added


@dataclass(frozen=True, slots=True)
class Lifting:
    """The end of those suppressions in force, or pending, that match; None matches any."""

    address_key: str
    pseudonym: str
    """What it is suppressed by where it was forgotten."""
    by: str
    scope: Scope | None
    scope_value: str | None
    cause: Cause | None
    note: str

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> tuple[Suppression, ...]:
        """End them; what was ended. The address starts anew: its failures so far are kept, but count no more."""
        keys = self.address_key, self.pseudonym
        condition = [suppressions.c.address_key.in_(keys), sa.or_(in_force(now), pending(now))]
        wanted = {"scope": self.scope, "scope_value": self.scope_value, "cause": self.cause}
        condition += [suppressions.c[name] == value for name, value in wanted.items() if value is not None]
        ended = await connection.execute(
            sa.update(suppressions).where(*condition).values(ended_at=now, ended_by=self.by).returning(suppressions)
        )
        lifted = tuple(sorted((rows.suppression(row) for row in ended.mappings()), key=lambda found: found.id))
        if lifted:
            await connection.execute(_EXCUSE, {"key": self.address_key})
        numbers = [found.id for found in lifted if not found.pending]
        await log(connection, Operation.REMOVE, numbers, now, self.by, self.note)
        return lifted


@dataclass(frozen=True, slots=True)
class LiftingEach:
    """The end of certain suppressions, as far as they are in force or pending."""

    numbers: tuple[int, ...]
    """suppressions.id"""
    by: str
    note: str

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> tuple[Suppression, ...]:
        """End them; what was ended. Their addresses start anew, as with Lifting."""
        condition = suppressions.c.id.in_(self.numbers) & sa.or_(in_force(now), pending(now))
        ended = await connection.execute(
            sa.update(suppressions).where(condition).values(ended_at=now, ended_by=self.by).returning(suppressions)
        )
        lifted = tuple(sorted((rows.suppression(row) for row in ended.mappings()), key=lambda found: found.id))
        if lifted:
            await connection.execute(_EXCUSE, [{"key": found.address_key} for found in lifted])
        numbers = [found.id for found in lifted if not found.pending]
        await log(connection, Operation.REMOVE, numbers, now, self.by, self.note)
        return lifted


def in_force(now: dt.datetime) -> sa.ColumnElement[bool]:
    """The condition of Suppression.in_force in SQL."""
    return _reaching(now) & suppressions.c.pending.is_(sa.false())


def pending(now: dt.datetime) -> sa.ColumnElement[bool]:
    """The condition of those that an incident holds back."""
    return _reaching(now) & suppressions.c.pending.is_(sa.true())


def _reaching(now: dt.datetime) -> sa.ColumnElement[bool]:
    return suppressions.c.ended_at.is_(None) & (suppressions.c.expires_at.is_(None) | (suppressions.c.expires_at > now))


def _change(operation: Operation, slot: Slot, now: dt.datetime) -> dict[str, Any]:
    by = "policy" if operation is Operation.ADD else EXPIRY
    return {"at": now, "operation": operation, "suppression_id": slot.number, "by": by, "note": ""}


async def log(
    connection: AsyncConnection, operation: Operation, numbers: Iterable[int], now: dt.datetime, by: str, note: str = ""
) -> None:
    """Write what happened to the suppressions `numbers` into the change log."""
    found = [
        {"at": now, "operation": operation, "suppression_id": number, "by": by, "note": note} for number in numbers
    ]
    if found:
        await connection.execute(sa.insert(suppression_changes), found)


_EXCUSE: Final = (
    sa.update(events)
    .where(events.c.address_key == sa.bindparam("key"), events.c.counted.is_(sa.true()))
    .values(excused=True)
)
_END: Final = (
    sa.update(suppressions)
    .where(suppressions.c.id == sa.bindparam("number"))
    .values(ended_at=sa.bindparam("ended_at"), ended_by=sa.bindparam("ended_by"))
)

"""Writing suppressions: added, ended, and each change in the change log of the same transaction."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.model import Cause, Scope, Sentence, Suppression
from bouncemilter.store import rows
from bouncemilter.store.dialect import insert_new
from bouncemilter.store.rows import Operation
from bouncemilter.store.schema import events, suppression_changes, suppressions

EXPIRY: Final = "expiry"
"""Who ended a suppression whose time was over when a new one came."""


@dataclass(slots=True)
class Slot:
    """The one row that is not ended for an address, scope, scope value and cause; perhaps not written yet."""

    expires_at: dt.datetime | None
    number: int | None = None
    """suppressions.id, once it is known."""
    row: dict[str, object] | None = None
    """What will be inserted."""

    def reaches(self, at: dt.datetime) -> bool:
        """Whether it is in force at `at`."""
        return self.expires_at is None or at < self.expires_at


class SuppressionBatch:
    """The suppressions that one batch of events adds and ends, written at its end with a few statements."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self._added: list[tuple[Slot, dict[str, object]]] = []
        self._ended: list[Slot] = []
        self._changes: list[tuple[Operation, Slot]] = []

    def add(self, row: dict[str, object]) -> Slot:
        """A new suppression; `event_id` is distinct within a batch, since an event has one sentence."""
        expires_at = row["expires_at"]
        assert expires_at is None or isinstance(expires_at, dt.datetime)
        slot = Slot(expires_at, row=row)
        self._added.append((slot, row))
        self._changes.append((Operation.ADD, slot))
        return slot

    def expire(self, slot: Slot) -> None:
        """End one whose time is over."""
        if slot.row is None:
            self._ended.append(slot)
        else:  # came and went within this batch: old mail, read in one go
            slot.row.update(ended_at=slot.expires_at, ended_by=EXPIRY)
        self._changes.append((Operation.REMOVE, slot))

    async def write(self, connection: AsyncConnection) -> None:
        """Everything, in the order in which it was decided."""
        if self._ended:
            await connection.execute(
                _EXPIRE, [{"number": slot.number, "ended_at": slot.expires_at} for slot in self._ended]
            )
        if self._added:
            inserted = await connection.execute(
                insert_new(connection, suppressions).returning(suppressions.c.id, suppressions.c.event_id),
                [row for _, row in self._added],
            )
            numbers = {event_id: number for number, event_id in inserted}
            for slot, row in self._added:
                slot.number = numbers.get(row["event_id"])
        logged = [_change(operation, slot, self.now) for operation, slot in self._changes if slot.number is not None]
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
            await connection.execute(_EXPIRE, [{"number": found.id, "ended_at": found.expires_at}])
            await _log(connection, Operation.REMOVE, found.id, now, EXPIRY)
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
        await _log(connection, Operation.ADD, added.id, now, self.by, self.note)
        return added


@dataclass(frozen=True, slots=True)
class Lifting:
    """The end of those suppressions in force that match; None matches any."""

    address_key: str
    by: str
    scope: Scope | None
    scope_value: str | None
    cause: Cause | None
    note: str

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> tuple[Suppression, ...]:
        """End them; what was ended. The address starts anew: its failures so far are kept, but count no more."""
        condition = [suppressions.c.address_key == self.address_key, in_force(now)]
        wanted = {"scope": self.scope, "scope_value": self.scope_value, "cause": self.cause}
        condition += [suppressions.c[name] == value for name, value in wanted.items() if value is not None]
        ended = await connection.execute(
            sa.update(suppressions).where(*condition).values(ended_at=now, ended_by=self.by).returning(suppressions)
        )
        lifted = tuple(sorted((rows.suppression(row) for row in ended.mappings()), key=lambda found: found.id))
        if lifted:
            await connection.execute(_EXCUSE, {"key": self.address_key})
        for found in lifted:
            await _log(connection, Operation.REMOVE, found.id, now, self.by, self.note)
        return lifted


def in_force(now: dt.datetime) -> sa.ColumnElement[bool]:
    """The condition of Suppression.in_force in SQL."""
    return suppressions.c.ended_at.is_(None) & (suppressions.c.expires_at.is_(None) | (suppressions.c.expires_at > now))


def _change(operation: Operation, slot: Slot, now: dt.datetime) -> dict[str, Any]:
    by = "policy" if operation is Operation.ADD else EXPIRY
    return {"at": now, "operation": operation, "suppression_id": slot.number, "by": by, "note": ""}


async def _log(
    connection: AsyncConnection, operation: Operation, number: int, now: dt.datetime, by: str, note: str = ""
) -> None:
    await connection.execute(
        sa.insert(suppression_changes),
        {"at": now, "operation": operation, "suppression_id": number, "by": by, "note": note},
    )


_EXCUSE: Final = (
    sa.update(events)
    .where(events.c.address_key == sa.bindparam("key"), events.c.counted.is_(sa.true()))
    .values(excused=True)
)
_EXPIRE: Final = (
    sa.update(suppressions)
    .where(suppressions.c.id == sa.bindparam("number"))
    .values(ended_at=sa.bindparam("ended_at"), ended_by=EXPIRY)
)

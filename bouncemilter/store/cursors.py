"""Following the changes: how far somebody has come, what came next, and what has expired meanwhile."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.store import rows
from bouncemilter.store.dialect import insert_or_update
from bouncemilter.store.part import Part
from bouncemilter.store.pseudonym import among
from bouncemilter.store.rows import Change, Operation
from bouncemilter.store.schema import cursors, suppression_changes, suppressions
from bouncemilter.store.suppressions import EXPIRY, in_force

PIECE: Final = 1000
"""Expired suppressions that are told in one transaction; more where they expire at the same moment."""
EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
PURGED: Final = "purge"
"""Not one who follows the changes: when old things were last deleted, in microseconds since 1970."""
_MICROSECOND: Final = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Told:
    """A change, and how its address stands now."""

    change: Change
    suppressed: bool
    """Whether any suppression of the address is in force."""
    everywhere: bool
    """Whether one of them is global."""


class Cursors(Part):
    """The change log of a store, for those who follow it."""

    async def place(self, name: str) -> int:
        """How far `name` has come: a `seq`; 0 at the beginning."""
        async with self._read() as connection:
            return await _place(connection, name)

    async def move(self, name: str, seq: int) -> None:
        """Note how far `name` has come."""
        await self._writer.write(_Moving(name, seq))

    async def changes(self, since: int, limit: int) -> tuple[Told, ...]:
        """The changes after `since`, in order. What has expired is among them once `tell_expired` was called.

        Those of addresses that were forgotten are left out.
        """
        async with self._read() as connection:
            found = (await connection.execute(_told(since, limit, self._clock()))).mappings()
            return tuple(_read_told(row) for row in found)

    async def tell_expired(self) -> None:
        """Log as removed what has expired since this was last called. It stays on record as it is, for probation.

        A removal may be told again when the address is suppressed anew.
        """
        while True:
            async with self._read() as connection:
                if await _expired_up_to(connection, self._clock()) is None:
                    return
            await self._writer.write(_Telling())


@dataclass(frozen=True, slots=True)
class _Moving:
    name: str
    seq: int

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> None:  # noqa: ARG002  (Work's signature)
        """Write it."""
        await connection.execute(insert_or_update(connection, cursors, "seq"), {"name": self.name, "seq": self.seq})


@dataclass(frozen=True, slots=True)
class _Telling:
    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> None:
        """Log one piece."""
        until = await _expired_up_to(connection, now)
        if until is None:
            return
        at = suppression_changes.c.at.type
        found = sa.select(
            sa.literal(now, at),
            sa.literal(Operation.REMOVE.value),
            suppressions.c.id,
            sa.literal(EXPIRY),
            sa.literal(""),
        ).where(await _untold(connection, until))
        names = ["at", "operation", "suppression_id", "by", "note"]
        await connection.execute(
            sa.insert(suppression_changes).from_select(names, found.order_by(suppressions.c.expires_at))
        )
        await _Moving(EXPIRY, (until - EPOCH) // _MICROSECOND).apply(connection, now)


async def _place(connection: AsyncConnection, name: str) -> int:
    statement = sa.select(cursors.c.seq).where(cursors.c.name == name)
    return (await connection.execute(statement)).scalar() or 0


async def _untold(connection: AsyncConnection, until: dt.datetime) -> sa.ColumnElement[bool]:
    """What expires up to `until` and was not told yet."""
    since = EPOCH + await _place(connection, EXPIRY) * _MICROSECOND
    column = suppressions.c
    return sa.and_(
        column.expires_at > since, column.expires_at <= until, column.ended_at.is_(None), column.pending.is_(sa.false())
    )


async def _expired_up_to(connection: AsyncConnection, now: dt.datetime) -> dt.datetime | None:
    """The time of the last one of the next piece; None where there is nothing to tell."""
    statement = (
        sa.select(suppressions.c.expires_at)
        .where(await _untold(connection, now))
        .order_by(suppressions.c.expires_at)
        .limit(PIECE)
    )
    found = list((await connection.execute(statement)).scalars())
    return found[-1] if found else None


def _told(since: int, limit: int, now: dt.datetime) -> sa.Select[Any]:
    log, other = suppression_changes.c, suppressions.alias()
    reach = (
        sa.select(sa.func.max(sa.case((suppressions.c.scope == sa.literal_column("'global'"), 1), else_=0)))
        .where(suppressions.c.address_key == other.c.address_key, in_force(now))
        .scalar_subquery()
    )
    columns = (log.seq, log.at, log.operation, log.by, log.note.label("change_note"), other, reach.label("reach"))
    return (
        sa.select(*columns)
        .join_from(suppression_changes, other, other.c.id == log.suppression_id)
        .where(log.seq > since, ~among(other.c.address_key))
        .order_by(log.seq)
        .limit(limit)
    )


def _read_told(row: sa.RowMapping) -> Told:
    change = Change(
        row["seq"], row["at"], Operation(row["operation"]), row["by"], row["change_note"], rows.suppression(row)
    )
    return Told(change, row["reach"] is not None, bool(row["reach"]))

"""What is read from the store. Each function takes a connection and gives model objects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.model import Category, Cause, Front, Kind, Scope, Suppression, Trust
from bouncemilter.store import rows
from bouncemilter.store.filter import Filter
from bouncemilter.store.ledger import MARKS_WINDOW
from bouncemilter.store.rows import Change, ChangedKey, DailyCount, Operation, StoredEvent, Unmatched, Watched
from bouncemilter.store.schema import (
    OUTAGE_CATEGORIES,
    UtcDateTime,
    daily_counts,
    events,
    suppression_changes,
    suppressions,
)
from bouncemilter.store.suppressions import in_force, pending

PAGE: Final = 1000
"""Rows read at a time from long lists: no read transaction stays open while somebody prints them."""


async def suppressed(connection: AsyncConnection, keys: Sequence[str], now: dt.datetime) -> tuple[Suppression, ...]:
    """The suppressions in force of an address, by any of its keys, in all scopes."""
    return await _suppressions(connection, suppressions.c.address_key.in_(keys) & in_force(now))


async def held_back(connection: AsyncConnection, address_key: str, now: dt.datetime) -> tuple[Suppression, ...]:
    """The suppressions of one address that incidents hold back."""
    return await _suppressions(connection, (suppressions.c.address_key == address_key) & pending(now))


async def suppressions_of_incident(
    connection: AsyncConnection, number: int, after: int, limit: int
) -> tuple[Suppression, ...]:
    """The next suppressions that belong to an incident, ended or not, by id."""
    return await _suppressions(connection, (suppressions.c.incident == number) & (suppressions.c.id > after), limit)


async def suppressions_of(connection: AsyncConnection, keys: Sequence[str]) -> tuple[Suppression, ...]:
    """All suppressions that an address ever had, by any of its keys, oldest first."""
    return await _suppressions(connection, suppressions.c.address_key.in_(keys))


async def suppressed_by_cause(connection: AsyncConnection, now: dt.datetime) -> dict[Cause, int]:
    """How many suppressions are in force for each cause."""
    statement = sa.select(suppressions.c.cause, sa.func.count()).where(in_force(now)).group_by(suppressions.c.cause)
    return {Cause(cause): number for cause, number in await connection.execute(statement)}


async def page(
    connection: AsyncConnection, wanted: Filter, now: dt.datetime, after: int, limit: int
) -> tuple[Suppression, ...]:
    """The next of those that match, by id."""
    return await _suppressions(connection, wanted.condition(now) & (suppressions.c.id > after), limit)


async def page_by_address(
    connection: AsyncConnection, wanted: Filter, now: dt.datetime, after: tuple[str, int], limit: int
) -> tuple[Suppression, ...]:
    """The next of those that match, by address key, then by id."""
    column = suppressions.c
    beyond = sa.or_(column.address_key > after[0], (column.address_key == after[0]) & (column.id > after[1]))
    # The first term alone lets the index begin at the right place.
    condition = wanted.condition(now) & (column.address_key >= after[0]) & beyond
    statement = sa.select(suppressions).where(condition).order_by(column.address_key, column.id).limit(limit)
    return tuple(rows.suppression(row) for row in (await connection.execute(statement)).mappings())


async def count(connection: AsyncConnection, wanted: Filter, now: dt.datetime) -> int:
    """How many match."""
    statement = sa.select(sa.func.count()).select_from(suppressions).where(wanted.condition(now))
    return (await connection.execute(statement)).scalar() or 0


async def events_of(connection: AsyncConnection, address_key: str, limit: int) -> tuple[StoredEvent, ...]:
    """What was learnt about an address, newest first."""
    statement = (
        sa.select(events)
        .where(events.c.address_key == address_key)
        .order_by(events.c.at.desc(), events.c.id)
        .limit(limit)
    )
    return tuple(rows.stored_event(row) for row in (await connection.execute(statement)).mappings())


async def domains_not_found(connection: AsyncConnection, since: dt.datetime, limit: int) -> tuple[StoredEvent, ...]:
    """The failures since then for which a domain was not found, the newest first."""
    statement = (
        sa.select(events)
        .where(
            OUTAGE_CATEGORIES,
            events.c.at > since,
            events.c.category == Category.DOMAIN_NOT_FOUND,
            events.c.counted.is_(sa.true()),
        )
        .order_by(events.c.at.desc(), events.c.id)
        .limit(limit)
    )
    return tuple(rows.stored_event(row) for row in (await connection.execute(statement)).mappings())


async def changes(connection: AsyncConnection, since: int, limit: int) -> tuple[Change, ...]:
    """The changes after `since`, in order."""
    log = suppression_changes.c
    statement = (
        sa.select(
            log.seq,
            log.at,
            log.operation,
            log.by,
            log.note.label("change_note"),
            suppressions,
        )
        .join_from(suppression_changes, suppressions)
        .where(log.seq > since)
        .order_by(log.seq)
        .limit(limit)
    )
    found = (await connection.execute(statement)).mappings()
    return tuple(
        Change(
            row["seq"],
            row["at"],
            Operation(row["operation"]),
            row["by"],
            row["change_note"],
            rows.suppression(row),
        )
        for row in found
    )


async def last_change(connection: AsyncConnection) -> int:
    """The `seq` of the newest change; 0 where there is none."""
    return (await connection.execute(sa.select(sa.func.max(suppression_changes.c.seq)))).scalar() or 0


async def has_change(connection: AsyncConnection, seq: int) -> bool:
    """Whether there is a change of this `seq`."""
    statement = sa.select(suppression_changes.c.seq).where(suppression_changes.c.seq == seq)
    return (await connection.execute(statement)).first() is not None


async def change_span(connection: AsyncConnection) -> tuple[int, int]:
    """The `seq` of the oldest change that is kept and of the newest; zeros where there is none."""
    first, last = (await connection.execute(_CHANGE_SPAN)).one()
    return first or 0, last or 0


async def suppressed_keys(connection: AsyncConnection, after: str, limit: int) -> Sequence[tuple[str, int]]:
    """The next addresses in order that have suppressions; 1 if one of them is global. None is ended, some expired.

    Their time is no column of the index that answers this: ten million rows would have to be read for it.
    """
    found: Sequence[Any] = (await connection.execute(_SUPPRESSED_KEYS, {"after": after, "limit": limit})).all()
    return found


async def changed_keys(connection: AsyncConnection, since: int, now: dt.datetime, limit: int) -> list[ChangedKey]:
    """What became of the addresses of the changes after `since`, in their order, as it is at `now`."""
    changed = suppressions.alias()
    everywhere = (
        sa.select(sa.func.max(_IS_GLOBAL))
        .where(suppressions.c.address_key == changed.c.address_key, in_force(now))
        .scalar_subquery()
    )
    log = suppression_changes.c
    statement = (
        sa.select(log.seq, changed.c.address_key, everywhere)
        .join_from(suppression_changes, changed, changed.c.id == log.suppression_id)
        .where(log.seq > since)
        .order_by(log.seq)
        .limit(limit)
    )
    found = await connection.execute(statement)
    return [ChangedKey(seq, key, suppressed=reach is not None, everywhere=bool(reach)) for seq, key, reach in found]


async def counts(connection: AsyncConnection, first: dt.date, last: dt.date) -> tuple[DailyCount, ...]:
    """The counts of the UTC days from `first` to `last`, both included."""
    statement = (
        sa.select(daily_counts)
        .where(daily_counts.c.day.between(first, last))
        .order_by(*daily_counts.primary_key.columns)
    )
    return tuple(
        DailyCount(
            row["day"],
            Front(row["front"]),
            Kind(row["kind"]),
            rows.category(row["category"]),
            Trust(row["trust"]) if row["trust"] else None,
            row["overflow"],
            row["n"],
        )
        for row in (await connection.execute(statement)).mappings()
    )


def watched_marks(now: dt.datetime) -> sa.Subquery:
    """The marks of watched addresses: within the window, no success since, no suppression in force.

    `place` is 1 for the newest of an address.
    """
    newer = events.alias()
    success = (
        sa.select(newer.c.id)
        .where(
            newer.c.address_key == events.c.address_key,
            newer.c.effect == sa.literal_column("'success'"),
            newer.c.at > events.c.at,
        )
        .exists()
    )
    refused = (
        sa.select(suppressions.c.id).where(suppressions.c.address_key == events.c.address_key, in_force(now)).exists()
    )
    place = sa.func.row_number().over(partition_by=events.c.address_key, order_by=(events.c.at.desc(), events.c.id))
    return (
        sa.select(
            events.c.address_key,
            events.c.address,
            events.c.watched,
            events.c.at,
            events.c.category,
            events.c.sender_domain,
            events.c.returned_list_id,
            events.c.returned_campaign,
            place.label("place"),
        )
        .where(
            events.c.at > now - MARKS_WINDOW,
            events.c.counted.is_(sa.true()),
            events.c.excused.is_(sa.false()),
            events.c.watched != "",
            ~success,
            ~refused,
        )
        .subquery()
    )


async def watched(
    connection: AsyncConnection, wanted: Filter, now: dt.datetime, limit: int | None
) -> tuple[Watched, ...]:
    """Addresses with marks in the window, no success since and no suppression in force, newest mark first."""
    marks = watched_marks(now)
    statement = (
        sa.select(marks)
        .where(marks.c.place == 1, wanted.watched_condition(marks))
        .order_by(marks.c.at.desc(), marks.c.address_key)
        .limit(limit)
    )
    return tuple(
        Watched(row["address_key"], row["address"], row["watched"], row["at"], rows.category(row["category"]))
        for row in (await connection.execute(statement)).mappings()
    )


async def unmatched(connection: AsyncConnection, limit: int) -> tuple[Unmatched, ...]:
    """The templates that no rule knows, the most frequent first."""
    column = events.c
    statement = (
        sa.select(
            column.template,
            column.rule,
            sa.func.count().label("n"),
            sa.func.max(column.at, type_=UtcDateTime).label("last"),
            sa.func.max(column.diagnostic).label("diagnostic"),
        )
        .where(column.unmatched.is_(sa.true()))
        .group_by(column.template, column.rule)
        .order_by(sa.desc("n"), column.template, column.rule)
        .limit(limit)
    )
    found = (await connection.execute(statement)).mappings()
    return tuple(Unmatched(row["template"], row["rule"], row["n"], row["last"], row["diagnostic"]) for row in found)


async def ruled(connection: AsyncConnection, after: str, limit: int) -> tuple[StoredEvent, ...]:
    """The next events that have a category, by id."""
    statement = (
        sa.select(events).where(events.c.category.is_not(None), events.c.id > after).order_by(events.c.id).limit(limit)
    )
    return tuple(rows.stored_event(row) for row in (await connection.execute(statement)).mappings())


async def _suppressions(
    connection: AsyncConnection, condition: sa.ColumnElement[bool], limit: int | None = None
) -> tuple[Suppression, ...]:
    statement = sa.select(suppressions).where(condition).order_by(suppressions.c.id).limit(limit)
    found: Sequence[sa.RowMapping] = (await connection.execute(statement)).mappings().all()
    return tuple(rows.suppression(row) for row in found)


_IS_GLOBAL: Final = sa.case((suppressions.c.scope == sa.literal_column(f"'{Scope.GLOBAL}'"), 1), else_=0)
_CHANGE_SPAN: Final = sa.select(
    # One by one: asked for both in one go, SQLite reads the whole table.
    sa.select(sa.func.min(suppression_changes.c.seq)).scalar_subquery(),
    sa.select(sa.func.max(suppression_changes.c.seq)).scalar_subquery(),
)
_SUPPRESSED_KEYS: Final = (
    sa.select(suppressions.c.address_key, sa.func.max(_IS_GLOBAL))
    .where(suppressions.c.ended_at.is_(None), suppressions.c.address_key > sa.bindparam("after"))
    .group_by(suppressions.c.address_key)
    .order_by(suppressions.c.address_key)
    .limit(sa.bindparam("limit"))
)

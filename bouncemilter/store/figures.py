"""Counting events, sent mail and suppressions for reports. Everything here reads only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.model import Category, Cause, Kind, Scope, Trust
from bouncemilter.model.sent import NAME_LENGTH
from bouncemilter.store import rows
from bouncemilter.store.queries import watched_marks
from bouncemilter.store.rows import StoredEvent
from bouncemilter.store.schema import (
    UtcDateTime,
    daily_counts,
    events,
    heartbeat,
    sent_counts,
    suppressions,
    withheld,
)
from bouncemilter.store.suppressions import in_force, pending

PIECE: Final = 1000
"""Events read at a time."""


class Column(StrEnum):
    """What failures can be counted by, beside kind and category."""

    CAMPAIGN = "campaign"
    """As the returned headers name it, else the return path, whose token may name it."""
    LIST_ID = "list_id"
    DOMAIN = "domain"
    """Of the recipient."""
    SUBJECT = "subject"
    """Of the returned message."""
    SENDER_DOMAIN = "sender_domain"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are counted: all times UTC, empty and None match any."""

    start: dt.datetime
    end: dt.datetime
    """Not included."""
    list_id: str = ""
    provider: str = ""
    """A domain; those below it match too."""
    category: Category | None = None
    campaign: str = ""
    """Those of it, and those whose return path may name it."""
    cuts: tuple[dt.datetime, ...] = ()
    """Moments within the time, in their order: they part it into pieces."""


@dataclass(frozen=True, slots=True)
class Failures:
    """So many messages, each for one address, of one kind."""

    kind: Kind
    category: Category | None
    n: int
    piece: int = 0
    """Which piece of the time they failed in, by Wanted.cuts."""
    campaign: str = ""
    return_path: str = ""
    """Where no header names the campaign."""
    list_id: str = ""
    domain: str = ""
    subject: str = ""
    sender_domain: str = ""
    template: str = ""
    diagnostic: str = ""
    """With a template: one server's own words."""
    last: dt.datetime | None = None
    """With a template: when it came last."""


@dataclass(frozen=True, slots=True)
class SentCount:
    """So many messages, by recipient. Empty what was not asked for."""

    n: int
    day: dt.date | None = None
    stream: str = ""
    sender_domain: str = ""
    list_id: str = ""
    campaign: str = ""
    provider: str = ""


@dataclass(frozen=True, slots=True)
class SuppressionCount:
    """So many suppressions in force, or pending."""

    cause: Cause
    scope: Scope
    category: Category | None
    pending: bool
    n: int


@dataclass(frozen=True, slots=True)
class Latest:
    """When things last happened; None: never."""

    heartbeat: dt.datetime | None = None
    """When a daemon last wrote the store."""
    bounce: dt.datetime | None = None


class Figures:
    """What Store.figures gives. Every method raises StoreUnavailable while the database can't be used."""

    def __init__(self, read: Callable[[], AbstractAsyncContextManager[AsyncConnection]]) -> None:
        self._read = read

    async def failures(self, wanted: Wanted, columns: Collection[Column]) -> list[Failures]:
        """What came back within the time, without what nothing ties to our mail (trust `none`).

        All reports of one kind on one message to one address are one, and the first of them says when and why. What
        is excused counts: it did come back.
        """
        named = {name: expression for column in columns for name, expression in _EXPRESSIONS[column].items()}
        worded = Column.TEMPLATE in columns
        reports = sa.select(
            events.c.kind,
            events.c.category,
            events.c.at,
            *((events.c.diagnostic,) if worded else ()),
            *(expression.label(name) for name, expression in named.items()),
            _piece(wanted.cuts).label("piece"),
            sa.func.row_number().over(partition_by=_MESSAGE, order_by=(events.c.at, events.c.id)).label("place"),
        )
        found = reports.where(_condition(wanted)).subquery()
        keys = [found.c[name] for name in ("kind", "category", "piece", *named)]
        extra: list[sa.ColumnElement[Any]] = [sa.func.count().label("n")]
        if worded:
            extra += [
                sa.func.max(found.c.diagnostic).label("diagnostic"),
                sa.func.max(found.c.at, type_=UtcDateTime).label("last"),
            ]
        statement = sa.select(*keys, *extra).where(found.c.place == 1).group_by(*keys)
        if wanted.category:
            statement = statement.where(found.c.category == wanted.category)
        names = [*(each.name for each in keys[2:]), *(each.name for each in extra)]
        async with self._read() as connection:
            return [
                Failures(Kind(row["kind"]), rows.category(row["category"]), **{name: row[name] for name in names})
                for row in (await connection.execute(statement)).mappings()
            ]

    async def sent(self, first: dt.date, last: dt.date, columns: Collection[str]) -> list[SentCount]:
        """The messages sent from `first` to `last` (UTC days, both included), by columns of `sent_counts`."""
        chosen = [sent_counts.c[name] for name in columns]
        statement = sa.select(*chosen, sa.func.sum(sent_counts.c.n).label("n")).group_by(*chosen)
        statement = statement.where(sent_counts.c.day.between(first, last)).having(sa.func.sum(sent_counts.c.n) > 0)
        async with self._read() as connection:
            found = (await connection.execute(statement)).mappings()
            return [SentCount(**{name: row[name] for name in (*columns, "n")}) for row in found]

    async def sent_since(self) -> dt.date | None:
        """The first UTC day of which sent mail is recorded; None where none is."""
        async with self._read() as connection:
            found: dt.date | None = (await connection.execute(sa.select(sa.func.min(sent_counts.c.day)))).scalar()
            return found

    async def events_since(self) -> dt.datetime | None:
        """The time of the oldest event; None where there is none."""
        async with self._read() as connection:
            statement = sa.select(sa.func.min(events.c.at, type_=UtcDateTime))
            found: dt.datetime | None = (await connection.execute(statement)).scalar()
            return found

    async def campaigns(self) -> list[str]:
        """The names of all campaigns that mail was ever sent for."""
        statement = sa.select(sent_counts.c.campaign).where(sent_counts.c.campaign != "").distinct()
        async with self._read() as connection:
            return list((await connection.execute(statement)).scalars())

    async def daily(self, first: dt.date, last: dt.date) -> list[tuple[dt.date, Failures]]:
        """What came back from `first` to `last` (UTC days), by the counts that are kept for good: of reports."""
        keys = (daily_counts.c.day, daily_counts.c.kind, daily_counts.c.category)
        statement = sa.select(*keys, sa.func.sum(daily_counts.c.n).label("n")).group_by(*keys)
        statement = statement.where(daily_counts.c.day.between(first, last), daily_counts.c.trust != Trust.NONE)
        async with self._read() as connection:
            return [
                (row["day"], Failures(Kind(row["kind"]), rows.category(row["category"]), row["n"]))
                for row in (await connection.execute(statement)).mappings()
            ]

    async def untied(self, first: dt.date, last: dt.date) -> int:
        """The reports from `first` to `last` (UTC days) that nothing ties to our mail: counted nowhere else."""
        statement = sa.select(sa.func.sum(daily_counts.c.n)).where(
            daily_counts.c.day.between(first, last), daily_counts.c.trust == Trust.NONE
        )
        async with self._read() as connection:
            return int((await connection.execute(statement)).scalar() or 0)

    async def withheld(self, first: dt.date, last: dt.date) -> int:
        """The outgoing messages that suppressed addresses did not get from `first` to `last` (UTC days)."""
        statement = sa.select(sa.func.sum(withheld.c.n)).where(
            withheld.c.day.between(first, last), withheld.c.action != "observed"
        )
        async with self._read() as connection:
            return int((await connection.execute(statement)).scalar() or 0)

    async def suppressions(self, now: dt.datetime) -> list[SuppressionCount]:
        """The suppressions in force at `now` and those that incidents hold back, by cause, scope and category."""
        column = suppressions.c
        keys = (column.cause, column.scope, column.category, column.pending)
        statement = sa.select(*keys, sa.func.count().label("n")).where(sa.or_(in_force(now), pending(now)))
        async with self._read() as connection:
            found = (await connection.execute(statement.group_by(*keys))).mappings()
            return [
                SuppressionCount(
                    Cause(row["cause"]), Scope(row["scope"]), rows.category(row["category"]), row["pending"], row["n"]
                )
                for row in found
            ]

    async def watched(self, now: dt.datetime) -> dict[str, int]:
        """How many addresses are watched at `now`, by how far they are: `2/4`."""
        marks = watched_marks(now)
        statement = sa.select(marks.c.watched, sa.func.count()).where(marks.c.place == 1).group_by(marks.c.watched)
        async with self._read() as connection:
            return {str(watched): int(n) for watched, n in await connection.execute(statement)}

    async def events(self, wanted: Wanted, after: str = "", limit: int = PIECE) -> list[StoredEvent]:
        """The next failures and delays of the time, whole, by id."""
        statement = (
            sa.select(events)
            .where(_condition(wanted), events.c.kind.in_((Kind.BOUNCE, Kind.DELAYED)), events.c.id > after)
            .order_by(events.c.id)
            .limit(limit)
        )
        if wanted.category:
            statement = statement.where(events.c.category == wanted.category)
        async with self._read() as connection:
            return [rows.stored_event(row) for row in (await connection.execute(statement)).mappings()]

    async def latest(self) -> Latest:
        """When a daemon last wrote, and the last bounce came."""
        bounce = (
            sa.select(events.c.at).where(events.c.kind == Kind.BOUNCE).order_by(events.c.at.desc()).limit(1)
        )  # the index on the time is read backwards
        async with self._read() as connection:
            return Latest(
                (await connection.execute(sa.select(heartbeat.c.at))).scalar(),
                (await connection.execute(bounce)).scalar(),
            )


def _piece(cuts: Sequence[dt.datetime], first: int = 0) -> sa.ColumnElement[int]:
    """The number of the piece that an event lies in: halved and halved again, since a report may have 3,660 days."""
    if not cuts:
        return sa.literal_column(str(first), sa.Integer)
    middle = len(cuts) // 2
    before, after = _piece(cuts[:middle], first), _piece(cuts[middle + 1 :], first + middle + 1)
    return sa.case((events.c.at < cuts[middle], before), else_=after)


def _condition(wanted: Wanted) -> sa.ColumnElement[bool]:
    """All that is wanted but the category: a message's first report is looked for among all of them."""
    column = events.c
    found = [column.at >= wanted.start, column.at < wanted.end, column.trust != Trust.NONE]
    if wanted.list_id:
        list_id = _EXPRESSIONS[Column.LIST_ID]["list_id"]
        found.append(list_id == wanted.list_id.lower()[:NAME_LENGTH])
    if wanted.provider:
        ends = [column.address_key.endswith(mark + wanted.provider, autoescape=True) for mark in "@."]
        found.append(sa.or_(*ends))
    if wanted.campaign:
        headed = column.returned_campaign.startswith(wanted.campaign, autoescape=True)
        found.append(sa.or_(headed, column.returned_campaign == ""))
    return sa.and_(*found)


_MESSAGE: Final = (events.c.address_key, events.c.message_key, events.c.kind)
_NO_CAMPAIGN: Final = events.c.returned_campaign == ""
# What is left of an address when everything but at signs is taken off its end ends with the last at sign.
_UP_TO_AT: Final = sa.func.rtrim(events.c.address_key, sa.func.replace(events.c.address_key, "@", ""))
_EXPRESSIONS: Final[dict[Column, dict[str, sa.ColumnElement[str]]]] = {
    Column.CAMPAIGN: {
        "campaign": events.c.returned_campaign,
        "return_path": sa.case((_NO_CAMPAIGN, events.c.envelope_recipient), else_=""),
    },
    Column.LIST_ID: {"list_id": sa.func.substr(sa.func.lower(events.c.returned_list_id), 1, NAME_LENGTH)},
    Column.DOMAIN: {"domain": sa.func.replace(events.c.address_key, _UP_TO_AT, "")},
    Column.SUBJECT: {"subject": events.c.returned_subject},
    Column.SENDER_DOMAIN: {"sender_domain": events.c.sender_domain},
    Column.TEMPLATE: {"template": events.c.template},
}

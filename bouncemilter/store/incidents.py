"""Incidents: written when they open, and what an operator makes of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter import incident
from bouncemilter.incident import OWN_OUTAGE, Cluster
from bouncemilter.model import Category, Incident, IncidentDecision, IncidentKind, Kind, Suppression, address_hash
from bouncemilter.model.incident import LONGEST, QUIET
from bouncemilter.store import queries, rows, sent
from bouncemilter.store.dialect import chunks
from bouncemilter.store.part import Part
from bouncemilter.store.queries import PAGE
from bouncemilter.store.rows import Operation
from bouncemilter.store.schema import OUTAGE_CATEGORIES, events, incidents, suppressions
from bouncemilter.store.suppressions import in_force, log, pending

if TYPE_CHECKING:
    pass


class Incidents(Part):
    """The incidents of a store."""

    async def newest(self, limit: int = PAGE) -> tuple[Incident, ...]:
        """So many at most, newest first."""
        async with self._read() as connection:
            return await every(connection, self._clock(), limit)

    async def find(self, number: int) -> Incident | None:
        """One of them; None where there is none of this number."""
        async with self._read() as connection:
            return await one(connection, number, self._clock())

    async def suppressions(self, number: int) -> AsyncIterator[Suppression]:
        """All suppressions that belong to one, pending, in force or ended, read page by page."""
        after = 0
        while True:
            async with self._read() as connection:
                found = await queries.suppressions_of_incident(connection, number, after, PAGE)
            for suppression in found:
                yield suppression
            if len(found) < PAGE:
                return
            after = found[-1].id

    async def undecided(self) -> Undecided:
        """How many are open, and how many suppressions are pending."""
        async with self._read() as connection:
            return await undecided(connection, self._clock())

    async def release(self, number: int, *, by: str, note: str = "") -> Incident | None:
        """Suppress what one holds back. None where there is none of this number, or it was decided before."""
        found: Incident | None = await self._writer.write(Releasing(number, by, note))
        return found

    async def undo(self, number: int, *, by: str, note: str = "") -> Incident | None:
        """Excuse the events of one and end its suppressions, also after a release. None as above."""
        found: Incident | None = await self._writer.write(Undoing(number, by, note))
        return found

    async def undo_failures(self, meant: NamedFailures, *, by: str, note: str = "") -> Incident | None:
        """The same for failures that were no incident when they came. None where there are none that count."""
        found: Incident | None = await self._writer.write(Naming(meant, by, note))
        return found

    async def count_failures(self, meant: NamedFailures) -> tuple[int, int]:
        """How many failures `undo_failures` would excuse, and how many suppressions it would end."""
        async with self._read() as connection:
            return await _count_named(connection, meant)


@dataclass(slots=True, eq=False)
class OpenIncident:
    """An incident that failures still belong to; perhaps not written yet."""

    kind: IncidentKind
    cluster: int
    """incident.Cluster.key"""
    since: dt.datetime
    opened_at: dt.datetime
    last_at: dt.datetime
    over_at: dt.datetime
    domain: str = ""
    category: Category | None = None
    template: str = ""
    reason: str = ""
    number: int | None = None
    """incidents.id, once it is known."""
    changed: bool = False

    @classmethod
    def tripped(cls, cluster: Cluster, reason: str, at: dt.datetime, now: dt.datetime) -> Self:
        """A new one: the event that failed at `at` was one too many."""
        since = at - incident.WINDOW
        return cls(
            cluster.kind, cluster.key, since, now, at, at, cluster.domain, cluster.category, cluster.template, reason
        )

    @classmethod
    def of(cls, found: Incident, cluster: int) -> Self:
        """One that the store has."""
        return cls(found.kind, cluster, found.since, found.opened_at, found.last_at, found.over_at, number=found.id)

    def is_open(self, at: dt.datetime) -> bool:
        """Whether what fails at `at` belongs to it."""
        return self.since <= at < min(self.last_at + QUIET, self.over_at + LONGEST)

    def touch(self, at: dt.datetime, *, over: bool) -> None:
        """It has a new member; `over`: it is still over its limit."""
        if at > self.last_at:
            self.last_at, self.changed = at, True
        if over and at > self.over_at:
            self.over_at, self.changed = at, True


async def insert(connection: AsyncConnection, found: OpenIncident) -> None:
    """Write a new incident; it gets its number."""
    names = "kind cluster domain category template reason since opened_at last_at over_at".split()
    statement = sa.insert(incidents).values({name: getattr(found, name) for name in names}).returning(incidents.c.id)
    found.number = (await connection.execute(statement)).scalar_one()
    found.changed = False


async def update(connection: AsyncConnection, found: Iterable[OpenIncident]) -> None:
    """Write when the newest members came."""
    for each in found:
        values = {"last_at": each.last_at, "over_at": each.over_at}
        await connection.execute(sa.update(incidents).where(incidents.c.id == each.number).values(values))


async def gather(connection: AsyncConnection, found: OpenIncident, now: dt.datetime) -> None:
    """Make what was recorded in the last 60 minutes part of a new incident, and its suppressions pending."""
    outage = found.cluster == OWN_OUTAGE.key
    alike = OUTAGE_CATEGORIES if outage else events.c.category == found.category
    if found.kind is IncidentKind.TEMPLATE:
        alike = events.c.template == found.template
    members = await _members(connection, found, alike, found.since, found.last_at)
    await _assign(connection, found, members, excused=outage)
    assert found.number is not None
    if outage:
        held = await _hold_outage(connection, found, members)
    else:
        column = suppressions.c.cluster if found.kind is IncidentKind.PROVIDER else suppressions.c.template_cluster
        held = await _hold(connection, found, column == found.cluster)
    await log(connection, Operation.REMOVE, held, now, "policy", f"incident {found.number}")


async def _members(
    connection: AsyncConnection,
    found: OpenIncident,
    alike: sa.ColumnElement[bool],
    first: dt.datetime,
    last: dt.datetime,
) -> dict[str, str]:
    """The counted failures after `first`, up to `last`, that are alike; event id to address key."""
    statement = sa.select(events.c.id, events.c.address_key, events.c.remote_host).where(
        events.c.at > first,
        events.c.at <= last,
        events.c.counted.is_(sa.true()),
        events.c.excused.is_(sa.false()),
        events.c.incident.is_(None),
        alike,
    )
    told = (await connection.execute(statement)).all()
    return {row.id: row.address_key for row in told if _is_alike(row, found)}


def _is_alike(row: Any, found: OpenIncident) -> bool:
    """Whether a failure (address_key, remote_host) is of the incident's domain."""
    if found.kind is IncidentKind.PROVIDER:
        return incident.provider(row) == found.domain
    if found.kind is IncidentKind.MANUAL:
        return found.domain in (incident.provider(row), incident.recipient_domain(row))
    return True


async def _assign(
    connection: AsyncConnection, found: OpenIncident, members: dict[str, str], *, excused: bool = False
) -> None:
    for some in chunks(sorted(members)):
        values = {"incident": found.number} | ({"excused": True} if excused else {})
        await connection.execute(sa.update(events).where(events.c.id.in_(some)).values(values))


async def _hold(connection: AsyncConnection, found: OpenIncident, alike: sa.ColumnElement[bool]) -> list[int]:
    """Make suppressions of the first 60 minutes pending; their numbers."""
    statement = (
        sa.update(suppressions)
        .where(
            alike,
            suppressions.c.minute.between(incident.minute(found.since), incident.minute(found.last_at)),
            suppressions.c.ended_at.is_(None),
            suppressions.c.incident.is_(None),
        )
        .values(pending=True, incident=found.number)
        .returning(suppressions.c.id)
    )
    return list((await connection.execute(statement)).scalars())


async def _hold_outage(connection: AsyncConnection, found: OpenIncident, members: dict[str, str]) -> list[int]:
    held: list[int] = []
    for some in chunks(sorted(set(members.values()))):
        alike = suppressions.c.address_key.in_(some) & suppressions.c.category.in_(sorted(incident.OUTAGE))
        held += await _hold(connection, found, alike)
    return held


@dataclass(frozen=True, slots=True)
class Releasing:
    """An operator says that the failures of an incident were real."""

    number: int
    by: str
    note: str

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> Incident | None:
        """Suppress what it holds back; the incident as it is then. None where there is none, or it was decided."""
        found = await one(connection, self.number, now)
        if found is None or found.outcome is not None:
            return None
        if found.kind is IncidentKind.OUTAGE:
            await connection.execute(_members_of(self.number).values(excused=False))
        statement = (
            sa.update(suppressions)
            .where(suppressions.c.incident == self.number, pending(now))
            .values(pending=False)
            .returning(suppressions.c.id)
        )
        freed = sorted((await connection.execute(statement)).scalars())
        await log(connection, Operation.ADD, freed, now, self.by, self.note or f"incident {self.number}")
        await _decide(connection, self.number, IncidentDecision.RELEASED, now, self.by, self.note)
        return await one(connection, self.number, now)


@dataclass(frozen=True, slots=True)
class Undoing:
    """An operator says that the failures of an incident were not the addresses'."""

    number: int
    by: str
    note: str

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> Incident | None:
        """Excuse its events and end its suppressions, also where it was released; the incident as it is then.

        None where there is none, or it was undone.
        """
        found = await one(connection, self.number, now)
        if found is None or found.outcome is IncidentDecision.UNDONE:
            return None
        await _undo(connection, self.number, now, self.by, self.note)
        return await one(connection, self.number, now)


@dataclass(frozen=True, slots=True)
class NamedFailures:
    """Failures that nothing has noticed when they came, as an operator names them."""

    domain: str
    """The registrable domain of the provider, or of the recipients."""
    category: Category
    since: dt.datetime
    """They came after it,"""
    until: dt.datetime
    """and up to it; UTC."""

    def incident(self, now: dt.datetime, reason: str) -> OpenIncident:
        """The incident that they are made."""
        kind, until = IncidentKind.MANUAL, self.until
        return OpenIncident(kind, 0, self.since, now, until, until, self.domain, self.category, "", reason)

    async def members(self, connection: AsyncConnection, found: OpenIncident) -> dict[str, str]:
        """Those that count, and belong to no incident; event id to address key."""
        return await _members(connection, found, events.c.category == self.category, self.since, self.until)


@dataclass(frozen=True, slots=True)
class Naming:
    """An operator undoes failures that he names."""

    meant: NamedFailures
    by: str
    note: str

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> Incident | None:
        """Make them an incident and undo it; None where there are none that count."""
        found = self.meant.incident(now, f"named by {self.by}")
        members = await self.meant.members(connection, found)
        if not members:
            return None
        await insert(connection, found)
        assert found.number is not None
        await _assign(connection, found, members)
        for mine in _suppressions_by(members):
            await connection.execute(sa.update(suppressions).where(mine).values(incident=found.number))
        await _undo(connection, found.number, now, self.by, self.note)
        return await one(connection, found.number, now)


def _suppressions_by(members: dict[str, str]) -> Iterator[sa.ColumnElement[bool]]:
    """Conditions for the suppressions that events (id to address key) have made, piece by piece; no ended ones."""
    for keys in chunks(sorted(set(members.values()))):
        for ids in chunks(sorted(members)):
            mine = suppressions.c.address_key.in_(keys) & suppressions.c.event_id.in_(ids)
            yield mine & suppressions.c.ended_at.is_(None) & suppressions.c.incident.is_(None)


async def _count_named(connection: AsyncConnection, meant: NamedFailures) -> tuple[int, int]:
    members = await meant.members(connection, meant.incident(meant.until, ""))
    counted = sa.select(sa.func.count()).select_from(suppressions)
    ended = [(await connection.execute(counted.where(mine))).scalar() or 0 for mine in _suppressions_by(members)]
    return len(members), sum(ended)


@dataclass(frozen=True, slots=True)
class Settling:
    """One piece of the pending suppressions of closed incidents: those that a later message has decided in silence."""

    after: int
    """suppressions.id"""
    limit: int

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> int | None:
        """End those whose address got a message after the incident that has not failed for six days.

        The number to go on from; None at the end.
        """
        closed = sa.or_(incidents.c.last_at <= now - QUIET, incidents.c.over_at <= now - LONGEST)
        statement = (
            sa.select(suppressions.c.id, suppressions.c.address_key, incidents.c.last_at)
            .join_from(suppressions, incidents, incidents.c.id == suppressions.c.incident)
            .where(pending(now), incidents.c.outcome.is_(None), closed, suppressions.c.id > self.after)
            .order_by(suppressions.c.id)
            .limit(self.limit)
        )
        found = (await connection.execute(statement)).all()
        if not found:
            return None
        failures = await _failures(connection, {row.address_key for row in found}, min(row.last_at for row in found))
        written = await sent.days(connection, (address_hash(row.address_key) for row in found))
        for row in found:
            days = written.get(address_hash(row.address_key))
            proven = days.proven(failures.get(row.address_key, ()), now) if days else None
            if proven and proven > row.last_at:
                ended = sa.update(suppressions).where(suppressions.c.id == row.id)
                await connection.execute(ended.values(ended_at=now, ended_by="success"))
        return int(found[-1].id)


async def _failures(connection: AsyncConnection, keys: set[str], since: dt.datetime) -> dict[str, list[dt.datetime]]:
    found: dict[str, list[dt.datetime]] = {}
    for some in chunks(sorted(keys)):
        statement = sa.select(events.c.address_key, events.c.at).where(
            events.c.address_key.in_(some), events.c.at >= since, events.c.kind == Kind.BOUNCE
        )
        for key, at in await connection.execute(statement):
            found.setdefault(key, []).append(at)
    return found


async def _undo(connection: AsyncConnection, number: int, now: dt.datetime, by: str, note: str) -> None:
    await connection.execute(_members_of(number).values(excused=True))
    mine = (suppressions.c.incident == number) & suppressions.c.ended_at.is_(None)
    refusing = (await connection.execute(sa.select(suppressions.c.id).where(mine, in_force(now)))).scalars()
    numbers = sorted(refusing)
    await connection.execute(sa.update(suppressions).where(mine).values(ended_at=now, ended_by=by))
    await log(connection, Operation.REMOVE, numbers, now, by, note or f"incident {number} undone")
    await _decide(connection, number, IncidentDecision.UNDONE, now, by, note)


async def _decide(
    connection: AsyncConnection, number: int, outcome: IncidentDecision, now: dt.datetime, by: str, note: str
) -> None:
    values = {"outcome": outcome, "decided_at": now, "decided_by": by, "note": note}
    await connection.execute(sa.update(incidents).where(incidents.c.id == number).values(values))


def _members_of(number: int) -> sa.Update:
    return sa.update(events).where(events.c.incident == number)


async def one(connection: AsyncConnection, number: int, now: dt.datetime) -> Incident | None:
    """An incident by its number, with its counts."""
    row = (await connection.execute(_counted(now).where(incidents.c.id == number))).mappings().one_or_none()
    return rows.incident(row) if row else None


async def every(connection: AsyncConnection, now: dt.datetime, limit: int) -> tuple[Incident, ...]:
    """The incidents with their counts, newest first."""
    found = (await connection.execute(_counted(now).order_by(incidents.c.id.desc()).limit(limit))).mappings()
    return tuple(rows.incident(row) for row in found)


@dataclass(frozen=True, slots=True)
class Undecided:
    """What an operator may have to look at."""

    open: int
    """Incidents that failures still belong to."""
    pending: int
    """Suppressions that wait for the address's next message."""


async def undecided(connection: AsyncConnection, now: dt.datetime) -> Undecided:
    """The figures for gauges."""
    newest = sa.select(incidents).where(incidents.c.outcome.is_(None), incidents.c.last_at > now - QUIET)
    found = [rows.incident(row) for row in (await connection.execute(newest)).mappings()]
    waiting = sa.select(sa.func.count()).where(suppressions.c.incident.is_not(None), pending(now))
    number = (await connection.execute(waiting)).scalar() or 0
    return Undecided(sum(each.is_open(now) for each in found), number)


def _counted(now: dt.datetime) -> sa.Select[Any]:
    belongs = suppressions.c.incident == incidents.c.id
    number = sa.func.count()
    return sa.select(
        incidents,
        sa.select(number).where(events.c.incident == incidents.c.id).scalar_subquery().label("events"),
        sa.select(number).where(belongs, pending(now)).scalar_subquery().label("pending"),
        sa.select(number).where(belongs, in_force(now)).scalar_subquery().label("suppressed"),
    )

"""The incident fuse in the one writer's transaction: what it counts is read from the store, what it decides is pure.

The counts of clusters live in the store alone, so that a restart, a batch that fails and other processes change nothing
about them. Only the domains of an outage of our own are kept in memory: each host has its own network.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter import domain, incident, reasons
from bouncemilter.incident import OWN_OUTAGE, Cluster, Mailed, Window
from bouncemilter.model import Class, Decision, Effect, Event, IncidentDecision, IncidentKind, Kind
from bouncemilter.model.incident import QUIET
from bouncemilter.model.sent import PROOF
from bouncemilter.reasons import DecisionReason
from bouncemilter.store import incidents, rows
from bouncemilter.store.incidents import OpenIncident
from bouncemilter.store.ledger import Ledger
from bouncemilter.store.schema import OUTAGE_CATEGORIES, UtcDateTime, events, sent_counts, suppressions
from bouncemilter.store.schema import incidents as table
from bouncemilter.store.suppressions import Slot, SuppressionBatch

_KEPT: Final = dt.timedelta(hours=1)
"""So long what is usual is remembered."""
_USUAL: Final = dt.timedelta(days=incident.USUAL_DAYS)
_HELD: Final = "held"


class Ruling(NamedTuple):
    """What becomes of an event after policy has decided."""

    decision: Decision
    incident: OpenIncident | None = None
    excused: bool = False
    mailed: Mailed | None = None
    """Where it is counted."""


class _Member(NamedTuple):
    """An event of this batch that counts in a cluster."""

    event: Event
    row: dict[str, object]
    slot: Slot | None
    decision: Decision
    mailed: Mailed | None


class Fuse:
    """What is known beyond one batch."""

    def __init__(self) -> None:
        self.recorded_since: dt.date | None = None
        """The first day of the records of sent mail; None where there are none."""
        self._look = True
        self.usual: dict[int, tuple[dt.datetime, int | None]] = {}
        self.domains: dict[str, dt.datetime] | None = None
        """Those that fail as in an outage of our own, and when last."""

    def forget(self) -> None:
        """A batch was rolled back: what it has counted is read anew."""
        self.domains = None
        self._look = True

    async def prepare(self, connection: AsyncConnection) -> None:
        """Look whether there are records of sent mail by now."""
        if self.recorded_since is None and self._look:
            self.recorded_since = (await connection.execute(_RECORDED_SINCE)).scalar()
            self._look = False

    def look_again(self) -> None:
        """Something else was written: there may be records of sent mail by now."""
        self._look = True


@dataclass(slots=True)
class Guard:
    """The fuse for one batch."""

    fuse: Fuse
    batch: SuppressionBatch
    opened: dict[str, IncidentKind] = field(default_factory=dict)
    """By the id of the event that was one too many."""
    missed: bool = False
    """Something would be suppressed whose cluster was not counted: the batch must be judged again, with all of them."""
    _clusters: dict[str, tuple[Cluster, ...]] = field(default_factory=dict)
    _counted: set[int] = field(default_factory=set)
    _windows: defaultdict[int, Window] = field(default_factory=lambda: defaultdict(Window))
    _open: dict[int, OpenIncident] = field(default_factory=dict)
    _by_number: dict[int, OpenIncident] = field(default_factory=dict)
    _released: dict[int, dt.datetime] = field(default_factory=dict)
    _members: defaultdict[int, list[_Member]] = field(default_factory=lambda: defaultdict(list))
    _new: list[OpenIncident] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)
    _marks: list[tuple[str, OpenIncident, bool]] = field(default_factory=list)

    async def load(self, connection: AsyncConnection, new: Sequence[Event], ledger: Ledger, *, every: bool) -> None:
        """Read what must be known to judge the events `new`.

        `every`: the clusters of all of them; else only of those that look as if policy might suppress.
        """
        suspects = [each for each in new if _is_suspect(each)]
        if not suspects:
            return
        await self._load_incidents(connection, min(each.at for each in suspects))
        if any(each.category in incident.OUTAGE for each in suspects):
            await self._load_outage(connection, suspects)
        likely = [each for each in suspects if every or each.class_ is Class.HARD or ledger.knows(each.address_key)]
        if likely:
            await self._load_counts(connection, likely)

    async def _load_counts(self, connection: AsyncConnection, suspects: Sequence[Event]) -> None:
        first, last = min(each.at for each in suspects), max(each.at for each in suspects)
        span = {"first": incident.minute(first - incident.WINDOW), "last": incident.minute(last)}
        expected: defaultdict[int, int] = defaultdict(int)
        for cluster in (each for event in suspects for each in self._of(event)):
            expected[cluster.key] += 1
        self._counted = set(expected)
        found = await connection.execute(_COUNTS, {"keys": list(expected)} | span)
        for key, known, minute, held, n in found:
            self._windows[key].add(minute, _HELD if held else known, n)
            expected[key] += n
        for key, n in expected.items():
            if n >= incident.UNRECORDED and key not in self._open:
                self._windows[key].usual = await self._usual(connection, key)

    def _of(self, event: Event) -> tuple[Cluster, ...]:
        found = self._clusters.get(event.id)
        if found is None:
            found = self._clusters[event.id] = incident.clusters(event)
        return found

    async def _load_incidents(self, connection: AsyncConnection, first: dt.datetime) -> None:
        for row in (await connection.execute(_OPEN, {"since": first - QUIET})).mappings():
            found = rows.incident(row)
            if found.outcome is None:
                known = OpenIncident.of(found, row["cluster"])
                self._open[known.cluster] = self._by_number[found.id] = known
            elif found.decided_at:
                self._released[row["cluster"]] = found.decided_at

    async def _load_outage(self, connection: AsyncConnection, suspects: Sequence[Event]) -> None:
        fuse, since = self.fuse, self.batch.now - incident.WINDOW
        known: dict[str, dt.datetime] = {}
        if fuse.domains is None:
            for at, key in await connection.execute(_FAILED_ALIKE, {"since": since}):
                name = domain.registrable(key.rpartition("@")[2])
                known[name] = max(at, known.get(name, at))
        else:
            known = {name: at for name, at in fuse.domains.items() if at > since}
        fuse.domains = known
        names = known.keys() | {incident.recipient_domain(each) for each in suspects}
        if len(names) >= incident.OUTAGE_DOMAINS and OWN_OUTAGE.key not in self._open:
            self._windows[OWN_OUTAGE.key].usual = await self._usual(connection, OWN_OUTAGE.key)

    async def _usual(self, connection: AsyncConnection, key: int) -> int | None:
        now = self.batch.now
        if key in self.fuse.usual and self.fuse.usual[key][0] > now - _KEPT:
            return self.fuse.usual[key][1]
        oldest = (await connection.execute(_OLDEST)).scalar()
        found = None
        if oldest is not None and oldest <= now - _USUAL:
            if key == OWN_OUTAGE.key:
                failed = await connection.execute(_COUNTED_ALIKE, {"since": now - _USUAL})
                hours = {(incident.minute(at) // 60, address.rpartition("@")[2]) for at, address in failed}
                found = incident.usual(60 * hour for hour, _ in hours)
            else:
                span = {"first": incident.minute(now - _USUAL), "last": incident.minute(now - incident.WINDOW)}
                found = incident.usual((await connection.execute(_MINUTES, {"key": key} | span)).scalars())
        self.fuse.usual[key] = now, found
        return found

    def judge(self, event: Event, decision: Decision, ledger: Ledger) -> Ruling:
        """What becomes of `event`, of which policy thinks `decision`."""
        if not decision.counts or not _is_suspect(event):
            return Ruling(decision)
        if event.category in incident.OUTAGE and not event.dns_confirmed and (outage := self._outage(event)):
            return self._member(event, decision, outage, excused=True)
        suppressing = decision.effect is Effect.SUPPRESSED and decision.sentence is not None
        if not suppressing and not self._open:
            return Ruling(decision)
        if found := self._holder(event, decision, ledger):
            return self._member(event, decision, found)
        return self._count(event, decision, ledger) if suppressing else Ruling(decision)

    def _holder(self, event: Event, decision: Decision, ledger: Ledger) -> OpenIncident | None:
        """The open incident that the event belongs to: by its cluster, or since it holds the address's suppression."""
        for cluster in self._of(event):
            if (found := self._open.get(cluster.key)) and found.is_open(event.at):
                return found
        slot = ledger.slot(event.address_key, decision.sentence) if decision.sentence else None
        if slot is None or not slot.pending:
            return None
        found = self._by_number.get(slot.incident) if isinstance(slot.incident, int) else slot.incident
        return found if found and found.is_open(event.at) else None

    def _count(self, event: Event, decision: Decision, ledger: Ledger) -> Ruling:
        clusters = self._of(event)
        self.missed = self.missed or not all(each.key in self._counted for each in clusters)
        known = self._mailed(event, ledger)
        minute = incident.minute(event.at)
        for cluster in clusters:
            self._windows[cluster.key].add(minute, known)
        # What an incident of this batch has taken is counted elsewhere as well, until the next batch.
        for cluster in () if self._new else clusters:
            released = self._released.get(cluster.key)
            if released and event.at < released + QUIET:
                continue
            if reason := self._windows[cluster.key].trips(minute):
                found = self._trip(cluster, reason, event)
                return Ruling(_held_back(decision, found), found, mailed=known)
        return Ruling(decision, mailed=known)

    def _mailed(self, event: Event, ledger: Ledger) -> Mailed:
        since = self.fuse.recorded_since
        if since is None or since > (event.at - PROOF).date():  # too young to tell anything
            return Mailed.UNRECORDED
        key = event.address_key
        return incident.mailed(ledger.sent_days(key), ledger.failures(key), event.at)

    def _outage(self, event: Event) -> OpenIncident | None:
        found = self._open.get(OWN_OUTAGE.key)
        domains = self.fuse.domains
        if domains is None or event.at <= self.batch.now - incident.WINDOW:  # old mail says nothing of our network
            return found if found and found.is_open(event.at) else None
        name = incident.recipient_domain(event)
        domains[name] = max(event.at, domains.get(name, event.at))
        if found and found.is_open(event.at):
            return found
        released = self._released.get(OWN_OUTAGE.key)
        if released and event.at < released + QUIET:
            return None
        number = sum(at > event.at - incident.WINDOW for at in domains.values())
        reason = incident.outage(number, self._windows[OWN_OUTAGE.key].usual)
        return self._trip(OWN_OUTAGE, reason, event) if reason else None

    def _trip(self, cluster: Cluster, reason: str, event: Event) -> OpenIncident:
        found = OpenIncident.tripped(cluster, reason, event.at, self.batch.now)
        self._open[cluster.key] = found
        self._new.append(found)
        self.opened[event.id] = cluster.kind
        return found

    def _member(self, event: Event, decision: Decision, found: OpenIncident, *, excused: bool = False) -> Ruling:
        """A failure that belongs to an open incident."""
        suppressing = decision.effect is Effect.SUPPRESSED
        if suppressing or excused:
            over = self._is_over(event, found, suppressing=suppressing)
            found.touch(event.at, over=over)
        if suppressing:
            return Ruling(_held_back(decision, found), found, excused)
        return Ruling(decision, found, excused)

    def _is_over(self, event: Event, found: OpenIncident, *, suppressing: bool) -> bool:
        if found.cluster == OWN_OUTAGE.key:
            return len(self.fuse.domains or ()) >= incident.OUTAGE_DOMAINS
        window, minute = self._windows[found.cluster], incident.minute(event.at)
        if suppressing:
            window.add(minute, _HELD)
        return window.over(minute)

    def settle(self, event: Event, ruling: Ruling, row: dict[str, object], slot: Slot | None) -> dict[str, Decision]:
        """Note what was made of `event`: its row, and the suppression that it ordered, if any.

        If it was one too many, the earlier ones of this batch are held back too: their new decisions by event id.
        """
        if not (slot or ruling.incident or self._counted or event.category in incident.OUTAGE):
            return {}
        member = _Member(event, row, slot, ruling.decision, ruling.mailed)
        if slot and slot.row and _is_suspect(event):
            slot.row.update(self._columns(event, ruling))
        if ruling.incident:
            self._take(member, ruling.incident, excused=ruling.excused)
        changed: dict[str, Decision] = {}
        if event.id in self.opened and ruling.incident:
            for earlier in self._members.pop(ruling.incident.cluster, ()):
                if earlier.event.at > event.at - incident.WINDOW:
                    changed |= self._take_late(earlier, ruling.incident, excused=ruling.excused)
        if not ruling.incident and ruling.decision.counts:
            self._remember(member)
        return changed

    def _remember(self, member: _Member) -> None:
        if not _is_suspect(member.event):
            return
        for cluster in self._of(member.event) if member.slot or self._counted else ():
            self._members[cluster.key].append(member)
        if member.event.category in incident.OUTAGE:
            self._members[OWN_OUTAGE.key].append(member)

    def _columns(self, event: Event, ruling: Ruling) -> dict[str, object]:
        """What the fuse counts by."""
        keys = [cluster.key for cluster in self._of(event)]
        return {
            "cluster": keys[0],
            "template_cluster": keys[1] if len(keys) > 1 else None,
            "minute": incident.minute(event.at),
            "mailed": ruling.mailed or "",
        }

    def _take(self, member: _Member, found: OpenIncident, *, excused: bool) -> None:
        self._taken.add(member.event.id)
        self._marks.append((member.event.id, found, excused))
        if member.slot:
            self.batch.hold(member.slot, found)

    def _take_late(self, member: _Member, found: OpenIncident, *, excused: bool) -> dict[str, Decision]:
        if member.event.id in self._taken:
            return {}
        self._take(member, found, excused=excused)
        if member.decision.effect is not Effect.SUPPRESSED:
            return {}
        decision = _held_back(member.decision, found)
        member.row.update(effect=decision.effect, reason=decision.reason)
        return {member.event.id: decision}

    async def write(self, connection: AsyncConnection) -> None:
        """Write the incidents, before the events and suppressions of the batch."""
        for found in self._new:
            await incidents.insert(connection, found)
            await incidents.gather(connection, found, self.batch.now)
        await incidents.update(connection, (each for each in self._open.values() if each.changed))

    async def mark(self, connection: AsyncConnection) -> None:
        """Say of the events of the batch, which are written by now, to which incident they belong."""
        if self._marks:
            marks = [
                {"event_id": event_id, "number": found.number, "excuse": excused}
                for event_id, found, excused in self._marks
            ]
            await connection.execute(_MARK, marks)


def _is_suspect(event: Event) -> bool:
    failed = event.kind is Kind.BOUNCE and event.category is not None and event.class_ is not Class.BLOCK
    return failed and bool(event.address_key)


def _held_back(decision: Decision, found: OpenIncident) -> Decision:
    held_back = DecisionReason.HELD_BACK.recorded(incident=found.kind)
    return dataclasses.replace(decision, effect=Effect.PENDING, reason=reasons.joined(decision.reason, held_back))


def _counts(column: sa.Column[int | None]) -> sa.Select[Any]:
    held = suppressions.c.incident.is_not(None)
    return (
        sa.select(column, suppressions.c.mailed, suppressions.c.minute, held.label("held"), sa.func.count())
        .where(
            column.in_(sa.bindparam("keys", expanding=True)),
            suppressions.c.minute.between(sa.bindparam("first"), sa.bindparam("last")),
        )
        .group_by(column, suppressions.c.mailed, suppressions.c.minute, held)
    )


def _minutes(column: sa.Column[int | None]) -> sa.Select[Any]:
    return sa.select(suppressions.c.minute).where(
        column == sa.bindparam("key"),
        suppressions.c.minute.between(sa.bindparam("first"), sa.bindparam("last")),
        suppressions.c.incident.is_(None),
    )


_COUNTS: Final = sa.union_all(_counts(suppressions.c.cluster), _counts(suppressions.c.template_cluster))
_MINUTES: Final = sa.union_all(_minutes(suppressions.c.cluster), _minutes(suppressions.c.template_cluster))
_MARK: Final = (
    sa.update(events)
    .where(events.c.id == sa.bindparam("event_id"))
    .values(incident=sa.bindparam("number"), excused=sa.bindparam("excuse"))
)
_RECORDED_SINCE: Final = sa.select(sa.func.min(sent_counts.c.day))
_OLDEST: Final = sa.select(sa.func.min(events.c.at, type_=UtcDateTime))
_OPEN: Final = sa.select(table).where(
    sa.or_(
        sa.and_(table.c.outcome.is_(None), table.c.last_at > sa.bindparam("since")),
        sa.and_(table.c.outcome == IncidentDecision.RELEASED, table.c.decided_at > sa.bindparam("since")),
    )
)
_FAILED_ALIKE: Final = sa.select(events.c.at, events.c.address_key).where(
    OUTAGE_CATEGORIES, events.c.at > sa.bindparam("since"), events.c.counted.is_(sa.true())
)
_COUNTED_ALIKE: Final = _FAILED_ALIKE.where(events.c.excused.is_(sa.false()))

"""The incident fuse: when so many living addresses fail alike that the fault can't be theirs.

Pure functions of counts. In December 2020 Gmail answered `550 5.1.1` for living addresses for hours; a resolver of our
own that is dead makes every domain look dead. The numbers are chosen so that a first mailing to an old list, with a
quarter of it dead, trips nothing: what counts are addresses that were written to before, and did not fail.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from bouncemilter import domain
from bouncemilter.model import Category, Event, IncidentKind, SentDays
from bouncemilter.model.sent import PROOF, hash64

WINDOW: Final = dt.timedelta(minutes=60)
MEMBERS: Final = 50
"""So many addresses of a cluster that would be suppressed within WINDOW,"""
LIVING: Final = 25
"""and so many of them living, are an incident."""
UNRECORDED: Final = 200
"""Where no mail to them was recorded as sent: so many,"""
UNUSUAL: Final = 5
"""and so many times the usual."""
USUAL_DAYS: Final = 28
"""What is usual is judged by so many days. A store that knows fewer days knows no usual, and this way trips nothing:
the first mailing of all looks like an incident otherwise."""
OUTAGE_DOMAINS: Final = 20
"""Domains that fail as if our own network or DNS did."""
OUTAGE: Final = frozenset({Category.DOMAIN_NOT_FOUND, Category.HOST_NOT_RESPONDING, Category.DELIVERY_TIMEOUT})

_MINUTES: Final = WINDOW // dt.timedelta(minutes=1)


class Mailed(StrEnum):
    """What the records of sent mail say of an address that fails."""

    LIVING = "living"
    """Written to at least six days earlier, and it did not fail since."""
    UNPROVEN = "unproven"
    """Written to, but not so long ago, or it failed since."""
    UNRECORDED = "unrecorded"
    """No mail to it was recorded."""


class Cluster(NamedTuple):
    """Failures that are alike."""

    key: int
    kind: IncidentKind
    domain: str = ""
    category: Category | None = None
    template: str = ""


OWN_OUTAGE: Final = Cluster(hash64("outage"), IncidentKind.OUTAGE)


def clusters(event: Event) -> tuple[Cluster, ...]:
    """What the failure in `event` is counted with: that of its provider and category, and that of its words."""
    name = provider(event)
    found = [Cluster(hash64(f"{name} {event.category}"), IncidentKind.PROVIDER, name, event.category)]
    if event.template:
        key = hash64(f"\0{event.template}")
        found.append(Cluster(key, IncidentKind.TEMPLATE, category=event.category, template=event.template))
    return tuple(found)


class Failure(Protocol):
    """What tells whose failure it is: an event, or a row of one."""

    @property
    def address_key(self) -> str:
        """The address that failed."""
        ...

    @property
    def remote_host(self) -> str:
        """The host that answered."""
        ...


def provider(event: Failure) -> str:
    """The registrable domain of the host that answered, or of the recipient where the report names none."""
    host = event.remote_host.strip().lower()
    last = host.removesuffix(".").rpartition(".")
    named = bool(last[0]) and not last[2].isdigit() and host.replace(".", "").replace("-", "").isalnum()
    return domain.registrable(host if named else recipient_domain(event))


def recipient_domain(event: Failure) -> str:
    """The registrable domain of the address that failed."""
    return domain.registrable(event.address_key.rpartition("@")[2])


def mailed(days: SentDays | None, failures: Iterable[dt.datetime], at: dt.datetime) -> Mailed:
    """What is known of an address that fails at `at`; `failures`: those known, of late ones and of this one too."""
    if days is None:
        return Mailed.UNRECORDED
    earlier = days.latest(at.astimezone(dt.UTC).date() - PROOF)
    if earlier is None:
        return Mailed.UNPROVEN
    failed = any(earlier <= each.astimezone(dt.UTC).date() and each <= at - WINDOW for each in failures)
    return Mailed.UNPROVEN if failed else Mailed.LIVING


def minute(at: dt.datetime) -> int:
    """The minute since 1970 that `at` lies in."""
    return int(at.timestamp()) // 60


@dataclass(slots=True)
class Window:
    """How many of a cluster would be suppressed, minute by minute."""

    minutes: dict[int, Counter[str]] = field(default_factory=dict)
    usual: int | None = None
    """Of the last 28 days; None where it is not known."""
    _end: int = 0
    _sum: Counter[str] = field(default_factory=Counter)

    def add(self, at: int, what: Mailed | str, n: int = 1) -> None:
        """`n` more in the minute `at`; what an incident holds back is `held`."""
        self.minutes.setdefault(at, Counter())[what] += n
        if self._end - _MINUTES < at <= self._end:
            self._sum[what] += n

    def ending(self, end: int) -> Counter[str]:
        """The sums of the 60 minutes that end with the minute `end`."""
        if end != self._end:
            self._end, self._sum = end, Counter()
            for at, counts in self.minutes.items():
                if end - _MINUTES < at <= end:
                    self._sum.update(counts)
        return self._sum

    def trips(self, end: int) -> str:
        """Why the cluster is an incident as of the minute `end`, in one English line; empty where it is none."""
        found = self.ending(end)
        living, unrecorded = found[Mailed.LIVING], found[Mailed.UNRECORDED]
        members = living + unrecorded + found[Mailed.UNPROVEN]
        if members >= MEMBERS and living >= LIVING:
            return (
                f"{members} addresses would have been suppressed within 60 minutes; "
                f"{living} of them were written to six days earlier or more, and did not fail"
            )
        if self.usual is not None and unrecorded >= max(UNRECORDED, UNUSUAL * self.usual):
            return (
                f"{unrecorded} addresses would have been suppressed within 60 minutes, "
                f"where a busy hour of the last {USUAL_DAYS} days has {self.usual}"
            )
        return ""

    def over(self, end: int) -> bool:
        """Whether an open incident is still over its limit: what it held back counts as well."""
        return sum(self.ending(end).values()) >= MEMBERS


def outage(domains: int, usual: int | None) -> str:
    """Why `domains` that failed within 60 minutes are an outage of our own; empty where they are not.

    `usual`: domains in a usual busy hour. A large mailing has 20 dead hosts in an hour, and they are not ours.
    """
    if domains < max(OUTAGE_DOMAINS, UNUSUAL * (usual or 0)):
        return ""
    return f"{domains} domains were not found or did not answer within 60 minutes"


def usual(minutes: Iterable[int]) -> int:
    """The busiest hour of a usual day, by the minutes at which something happened: the median of those days.

    Days on which nothing happened don't count: who mails once a week has a usual mailing, not a usual silence.
    """
    busiest: dict[int, int] = {}
    for hour, n in Counter(each // 60 for each in minutes).items():
        busiest[hour // 24] = max(n, busiest.get(hour // 24, 0))
    return int(statistics.median(busiest.values())) if busiest else 0

"""A report: what came back, of what was sent, line by line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from bouncemilter.model import Category, Class, Kind
from bouncemilter.statistics.query import Query

TARGET: Final = 0.98
"""The share of messages that should be delivered."""


@dataclass(slots=True)
class Counts:
    """Messages, each for one address."""

    hard: int = 0
    soft: int = 0
    block: int = 0
    complaint: int = 0
    unsubscribe: int = 0
    delayed: int = 0
    auto_reply: int = 0
    delivered: int = 0
    """Said to have arrived, by success reports and receipts: few servers say so."""

    @property
    def failed(self) -> int:
        """Those that came back."""
        return self.hard + self.soft + self.block

    def add(self, kind: Kind, category: Category | None, n: int) -> None:
        """Count `n` more; challenges and what is no return count for nothing."""
        name = _FIELD.get(kind, "")
        if kind is Kind.BOUNCE:
            name = category.class_.value if category else Class.HARD.value
        if name:
            setattr(self, name, getattr(self, name) + n)

    def plus(self, other: Counts) -> None:
        """Count those of another line too."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


_FIELD: Final = {
    Kind.DELAYED: "delayed",
    Kind.COMPLAINT: "complaint",
    Kind.UNSUBSCRIBE: "unsubscribe",
    Kind.AUTO_REPLY: "auto_reply",
    Kind.DELIVERED: "delivered",
    Kind.RECEIPT: "delivered",
}


@dataclass(slots=True)
class Line:
    """One line of a report."""

    name: str
    """A day, a campaign, …; empty where that is not known."""
    counts: Counts = field(default_factory=Counts)
    sent: int | None = None
    """None where no sent mail is recorded that it could be held against."""
    measured: int = 0
    """Those that failed on UTC days of which sent mail is recorded: the rate's numerator."""
    alike: bool = True
    """Whether what failed and what was sent are the same mail: not so where the name is not known."""
    whole: bool = True
    """Whether it has all that failed, not that of one reason alone."""

    @property
    def rate(self) -> float | None:
        """The share that came back, 0 to 1; None where it is not known.

        More failures than messages mean that other mail came back than is counted as sent: no rate can be told then.
        """
        return self.measured / self.sent if self.sent and self.alike and not self.overfull else None

    @property
    def overfull(self) -> bool:
        """Whether more failed than was sent."""
        return bool(self.sent and self.measured > self.sent)

    @property
    def arrived(self) -> float | None:
        """The share that did not come back; None where it is not known, and of one reason, which says nothing of it."""
        return None if self.rate is None or not self.whole else 1 - self.rate

    @property
    def on_target(self) -> bool | None:
        """Whether enough arrived; None where it is not known."""
        return None if self.arrived is None else self.arrived >= TARGET


class Remark(StrEnum):
    """What must be said beside the figures."""

    NO_SENT = "no_sent"
    """No sent mail is recorded: counts alone."""
    SENT_SINCE = "sent_since"
    """Sent mail is recorded only from a day on; rates are of that time."""
    NO_SHARE = "no_share"
    """What the lines are does not say what was sent."""
    UTC_SENT = "utc_sent"
    """Sent mail is counted by UTC days, and so are rates; the days of the report are others."""
    UNTIED = "untied"
    """So many reports that nothing ties to our mail are left out."""
    MORE_THAN_SENT = "more_than_sent"
    """Some lines have more failures than sent messages: other mail came back, and no rate can be told."""
    EVENTS_SINCE = "events_since"
    """Older events were deleted by their retention."""
    SAME_STREAM = "same_stream"
    """For so many failures the stream is not known."""
    UNNAMED = "unnamed"
    """For so many failures the campaign or list is not known."""


@dataclass(frozen=True, slots=True)
class Report:
    """All of it."""

    query: Query
    lines: tuple[Line, ...]
    """Days in their order, everything else with the most failures first."""
    total: Line
    remarks: tuple[tuple[Remark, str], ...] = ()
    """With a number or a day, where it has one."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What servers say about one reason, in one wording."""

    n: int
    """Messages."""
    category: Category | None
    template: str
    diagnostic: str
    """One server's own words."""
    last: dt.datetime


def total(lines: Iterable[Line], sent: int | None, *, whole: bool) -> Line:
    """The sum of `lines`; `sent` is given, since lines may share it, and so is `whole`."""
    found = Line("", sent=sent, whole=whole)
    for line in lines:
        found.counts.plus(line.counts)
        found.measured += line.measured
    return found

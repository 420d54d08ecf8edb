"""Incidents: hours in which the fault is a provider's or our own, not the addresses'."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bouncemilter.model.vocabulary import Category

QUIET: Final = dt.timedelta(hours=24)
"""An incident closes when so long nothing new has belonged to it."""
LONGEST: Final = dt.timedelta(days=7)
"""And at the latest so long after it was last over its limit: a trickle of addresses that are really dead, which a
large provider always has, must not hold it open for good."""


class IncidentKind(StrEnum):
    """What the failures of an incident have in common."""

    PROVIDER = "provider"
    """The host that answered (its registrable domain) and the category."""
    TEMPLATE = "template"
    """The words of the answer, whoever gave it."""
    OUTAGE = "outage"
    """They look like a failure of our own network or DNS."""
    MANUAL = "manual"
    """An operator has named them afterwards."""


class IncidentDecision(StrEnum):
    """What an operator has made of an incident."""

    RELEASED = "released"
    """The failures were real: its addresses are suppressed."""
    UNDONE = "undone"
    """They were not: its events are excused, its suppressions ended."""


@dataclass(frozen=True, slots=True)
class Incident:
    """A row of the incidents."""

    id: int
    kind: IncidentKind
    domain: str
    """Of the provider, where the kind is `provider`."""
    category: Category | None
    """None for an outage."""
    template: str
    reason: str
    """What tripped it, in one English line."""
    since: dt.datetime
    """The beginning of its first 60 minutes."""
    opened_at: dt.datetime
    last_at: dt.datetime
    """When its newest member failed."""
    over_at: dt.datetime
    """When it was last over its limit."""
    outcome: IncidentDecision | None = None
    decided_at: dt.datetime | None = None
    decided_by: str = ""
    note: str = ""
    events: int = 0
    """Failures that belong to it."""
    pending: int = 0
    """Suppressions that wait for the address's next message."""
    suppressed: int = 0
    """Suppressions of it that are in force."""

    @property
    def closes_at(self) -> dt.datetime:
        """When it closes, as far as is known."""
        return self.decided_at or min(self.last_at + QUIET, self.over_at + LONGEST)

    def is_open(self, now: dt.datetime) -> bool:
        """Whether failures that are like it still belong to it at `now`."""
        return self.outcome is None and now < self.closes_at

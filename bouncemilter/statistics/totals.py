"""One screen of totals."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from bouncemilter.statistics.compiling import compile_report
from bouncemilter.statistics.query import By, Query
from bouncemilter.statistics.report import Report
from bouncemilter.store import Store
from bouncemilter.store.figures import SuppressionCount

WINDOWS: Final = (1, 7, 30)
"""Days up to today, which is one of them, or up to another."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What stands on it."""

    at: dt.datetime
    suppressions: tuple[SuppressionCount, ...]
    watched: tuple[tuple[str, int], ...]
    """`2/4` and how many addresses."""
    open_incidents: int
    reports: tuple[Report, ...]
    """By category, for each of WINDOWS."""
    withheld: tuple[int, ...]
    """Outgoing messages that suppressed addresses did not get, for each of WINDOWS."""

    @property
    def in_force(self) -> int:
        """Suppressions."""
        return sum(each.n for each in self.suppressions if not each.pending)

    @property
    def pending(self) -> int:
        """Suppressions that an incident holds back."""
        return sum(each.n for each in self.suppressions if each.pending)


async def count(store: Store, now: dt.datetime, zone: dt.tzinfo = dt.UTC, *, last: dt.date | None = None) -> Totals:
    """The totals at `now`; `last`: the last day of WINDOWS in `zone`, today by default. StoreUnavailable while the
    database can't be used.
    """
    source, last = store.figures, last or now.astimezone(zone).date()
    firsts = [last - dt.timedelta(days=days - 1) for days in WINDOWS]
    return Totals(
        now,
        tuple(await source.suppressions(now)),
        tuple(sorted((await source.watched(now)).items())),
        (await store.incidents.undecided()).open,
        tuple([await compile_report(source, Query(first, last, By.CATEGORY, zone)) for first in firsts]),
        tuple([await source.withheld(first, last) for first in firsts]),
    )

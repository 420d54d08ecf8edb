"""One screen of totals."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from bouncemilter.figures.compiling import compile_report
from bouncemilter.figures.query import By, Query
from bouncemilter.figures.report import Report
from bouncemilter.store import Store
from bouncemilter.store.figures import SuppressionCount

WINDOWS: Final = (1, 7, 30)
"""UTC days up to today, which is one of them."""


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


async def count(store: Store, now: dt.datetime) -> Totals:
    """The totals at `now`. StoreUnavailable while the database can't be used."""
    source, today = store.figures, now.astimezone(dt.UTC).date()
    firsts = [today - dt.timedelta(days=days - 1) for days in WINDOWS]
    return Totals(
        now,
        tuple(await source.suppressions(now)),
        tuple(sorted((await source.watched(now)).items())),
        (await store.undecided()).open,
        tuple([await compile_report(source, Query(first, today, By.CATEGORY)) for first in firsts]),
        tuple([await source.withheld(first, today) for first in firsts]),
    )

"""What is kept of outgoing mail that suppressed addresses did not get."""

from __future__ import annotations

import datetime as dt

from bouncemilter.model import Withheld, Withholding
from bouncemilter.store import Retention

TODAY = dt.date(2026, 3, 1)


def kept(day=TODAY, action=Withholding.REFUSED, n=1, stream="news"):
    return Withheld(day, "jan@example.pl", stream, action, "hard", n)


async def test_counted_by_day(store):
    """The same refusal counts up; another day, stream or action has a row of its own, the newest day first."""
    await store.sent.record_withheld([kept(), kept(), kept(action=Withholding.DROPPED)])
    await store.sent.record_withheld([kept(n=3), kept(TODAY - dt.timedelta(days=1))])
    assert await store.sent.withheld_from("jan@example.pl") == (
        kept(action=Withholding.DROPPED),
        kept(n=5),
        kept(TODAY - dt.timedelta(days=1)),
    )
    assert await store.sent.withheld_from("ewa@example.pl") == ()


async def test_forgotten_with_the_events(store):
    """Rows go when events of their day go."""
    now = dt.datetime(2027, 6, 1, tzinfo=dt.UTC)
    old = now.date() - Retention().events - dt.timedelta(days=1)
    await store.sent.record_withheld([kept(old), kept(now.date())])
    await store.purge(now)
    assert await store.sent.withheld_from("jan@example.pl") == (kept(now.date()),)

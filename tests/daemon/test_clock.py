"""A clock that was set far ahead must not delete what is not old."""

from __future__ import annotations

import datetime as dt

from bouncemilter.daemon.clock import HELD_SECONDS, JUMP, ClockGuard

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def test_believed() -> None:
    """The first time, an hour later, after some days without the host, and where it was put back."""
    guard = ClockGuard()
    assert all(guard.believes(NOON, last) for last in (None, NOON - HOUR, NOON - JUMP, NOON + 1000 * JUMP))


def test_held() -> None:
    """A jump is not believed for a day; once the clock is right again the day begins anew at the next jump."""
    seconds = 0.0
    guard = ClockGuard(lambda: seconds)
    later = NOON + JUMP + HOUR
    assert not guard.believes(later, NOON)
    seconds = HELD_SECONDS - 1
    assert not guard.believes(later, NOON)
    assert guard.believes(NOON + HOUR, NOON)
    assert not guard.believes(later, NOON)
    seconds += HELD_SECONDS
    assert guard.believes(later, NOON)

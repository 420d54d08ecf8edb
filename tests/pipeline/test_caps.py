"""Caps on what strangers can make us do."""

from __future__ import annotations

import datetime as dt

import pytest

from bouncemilter.pipeline import caps
from bouncemilter.pipeline.caps import HourlyCap

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("cap", "limit"),
    [(caps.EVENTS_AN_HOUR, 1000), (caps.EXCERPTS_AN_HOUR, 100), (caps.OPT_OUTS_AN_HOUR, 20)],
)
def test_limit(cap: int, limit: int) -> None:
    """1,000 events, 100 excerpts and 20 requests are admitted in an hour, and not one more."""
    hourly = HourlyCap(cap)
    assert [hourly.admit(NOON) for _ in range(limit + 2)] == [True] * limit + [False] * 2


def test_next_hour() -> None:
    """Each clock hour starts anew."""
    hourly = HourlyCap(1)
    late, next_hour = NOON.replace(minute=59, second=59), NOON + dt.timedelta(hours=1)
    assert [hourly.admit(each) for each in (NOON, late, next_hour, next_hour)] == [True, False, True, False]


def test_keys_apart() -> None:
    """One client's flood takes nothing from another."""
    hourly = HourlyCap(1)
    assert [hourly.admit(NOON, key) for key in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "")] == [True, False, True, True]


def test_keys_are_bounded() -> None:
    """So many clients are remembered; new ones beyond them are refused, known ones keep what is theirs."""
    hourly = HourlyCap(2, keys=2)
    assert [hourly.admit(NOON, key) for key in ("a", "b", "c", "a", "c", "b", "a")] == [
        *(True, True, False, True, False, True, False)
    ]
    assert hourly.admit(NOON + dt.timedelta(hours=1), "c")


def test_refused_is_not_counted() -> None:
    """What was refused leaves no trace."""
    hourly = HourlyCap(0, keys=1)
    assert not hourly.admit(NOON, "a")
    assert not hourly.admit(NOON, "b")
    assert not hourly._used

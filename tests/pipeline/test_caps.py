"""Caps on what strangers can make us do."""

from __future__ import annotations

import pytest

from bouncemilter.pipeline import caps
from bouncemilter.pipeline.caps import HourlyCap, network


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("cap", "limit"),
    [(caps.EVENTS_AN_HOUR, 1000), (caps.EXCERPTS_AN_HOUR, 100), (caps.OPT_OUTS_AN_HOUR, 20)],
)
def test_limit(cap: int, limit: int, clock: Clock) -> None:
    """1,000 events, 100 excerpts and 20 requests are admitted in an hour, and not one more."""
    hourly = HourlyCap(cap, clock=clock)
    assert [hourly.admit() for _ in range(limit + 2)] == [True] * limit + [False] * 2


def test_next_hour(clock: Clock) -> None:
    """Each hour starts anew."""
    hourly = HourlyCap(1, clock=clock)
    found = []
    for seconds in (0, 3599, 1, 0):
        clock.now += seconds
        found.append(hourly.admit())
    assert found == [True, False, True, False]


def test_keys_apart(clock: Clock) -> None:
    """One client's flood takes nothing from another."""
    hourly = HourlyCap(1, clock=clock)
    assert [hourly.admit(key) for key in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "")] == [True, False, True, True]


def test_keys_are_bounded(clock: Clock) -> None:
    """So many clients are remembered; new ones beyond them are refused, known ones keep what is theirs."""
    hourly = HourlyCap(2, keys=2, clock=clock)
    assert [hourly.admit(key) for key in ("a", "b", "c", "a", "c", "b", "a")] == [
        *(True, True, False, True, False, True, False)
    ]
    clock.now += 3600
    assert hourly.admit("c")


def test_refused_is_not_counted() -> None:
    """What was refused leaves no trace."""
    hourly = HourlyCap(0, keys=1)
    assert not hourly.admit("a")
    assert not hourly.admit("b")
    assert not hourly._used


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1::5", "2001:db8:0:1::/64"),
        ("2001:DB8:0:1:ffff::9", "2001:db8:0:1::/64"),
        ("2001:db8:0:2::5", "2001:db8:0:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("localhost", "localhost"),
    ],
)
def test_network(client: str, expected: str) -> None:
    """An IPv6 client is its /64: it can take any address there at no cost."""
    assert network(client) == expected

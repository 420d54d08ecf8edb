"""The incident fuse's pure half: clusters, windows, and what is usual."""

from __future__ import annotations

import datetime as dt

import pytest

from bouncemilter import incident
from bouncemilter.incident import Mailed, Window
from bouncemilter.model import Category, SentDays
from tests.store.outbreak import DAY, MINUTE, failure

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
TODAY = NOON.date()


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("gmail-smtp-in.l.google.com", "google.com"),
        ("MX1.Poczta.WP.PL.", "wp.pl"),
        ("", "klient.test"),
        ("192.0.2.9", "klient.test"),
        ("[192.0.2.9]", "klient.test"),
        ("2001:db8::1", "klient.test"),
        ("mail server of somebody", "klient.test"),
        ("localhost", "klient.test"),
    ],
)
def test_provider(host: str, provider: str) -> None:
    """The registrable domain of the host that answered; of the recipient where the report names no such host."""
    assert incident.provider(failure("jan@poczta.klient.test", NOON, remote_host=host)) == provider


def test_clusters() -> None:
    """One failure counts with its provider and category, and with its words; without words only with the first."""
    event = failure("jan@klient.test", NOON)
    both = incident.clusters(event)
    assert [each.kind for each in both] == ["provider", "template"]
    assert incident.clusters(failure("ewa@klient.test", NOON)) == both
    other = incident.clusters(failure("jan@klient.test", NOON, Category.MAILBOX_DISABLED, template=""))
    assert [each.kind for each in other] == ["provider"]
    assert other[0].key != both[0].key


@pytest.mark.parametrize(
    ("sent_back", "failed_back", "known"),
    [
        ((6,), (), Mailed.LIVING),
        ((0, 21), (), Mailed.LIVING),
        ((5,), (), Mailed.UNPROVEN),
        ((6,), (2,), Mailed.UNPROVEN),
        ((6, 40), (20,), Mailed.LIVING),
        ((), (), Mailed.UNRECORDED),
    ],
)
def test_living(sent_back: tuple[int, ...], failed_back: tuple[int, ...], known: Mailed) -> None:
    """Living is who was written to six days ago or earlier and has not failed since."""
    days = None
    if sent_back:
        newest = min(sent_back)
        bits = sum(1 << (back - newest) for back in sent_back)
        days = SentDays(TODAY - dt.timedelta(days=max(sent_back)), TODAY - dt.timedelta(days=newest), bits)
    assert incident.mailed(days, [NOON - back * DAY for back in failed_back], NOON) is known


def test_failures_of_the_hour_are_no_earlier_ones() -> None:
    """Who failed half an hour ago, with the others, was living until then."""
    days = SentDays(TODAY - 8 * DAY, TODAY - 8 * DAY)
    assert incident.mailed(days, [NOON - 30 * MINUTE], NOON) is Mailed.LIVING


def test_window_slides() -> None:
    """The window is 60 minutes long, the newest included."""
    window = Window()
    window.add(100, Mailed.LIVING, 49)
    window.add(159, Mailed.LIVING)
    assert window.trips(159)
    assert not window.trips(160)
    window.add(160, Mailed.UNPROVEN, 49)
    assert not window.trips(160)
    window.add(150, Mailed.LIVING, 24)
    assert window.trips(160).startswith("74 addresses")


@pytest.mark.parametrize(
    ("usual", "n", "trips"), [(None, 9999, False), (0, 199, False), (0, 200, True), (41, 204, False), (41, 205, True)]
)
def test_without_records(usual: int | None, n: int, trips: bool) -> None:
    """Without records: 200, and five times the usual, where that is known."""
    window = Window(usual=usual)
    window.add(1000, Mailed.UNRECORDED, n)
    assert bool(window.trips(1000)) is trips


def test_usual() -> None:
    """The median, over the days on which anything happened, of their busiest hours."""
    day = 24 * 60
    busy = [[3] * 5, [day + 61] * 9 + [day + 200] * 2, [20 * day] * 7]
    assert incident.usual(minute for each in busy for minute in each) == 7
    assert incident.usual([]) == 0

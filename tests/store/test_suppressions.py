"""The contract of the suppression list: by hand, listed, followed, purged; the same on every engine."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from bouncemilter.model import Category, Cause, Class, Decision, Effect, Kind, Scope, Sentence
from bouncemilter.store import Filter, Operation, Purged, Retention

DAY = dt.timedelta(days=1)
BY_HAND = Sentence(Scope.GLOBAL, "", Cause.MANUAL, None)


async def listed(store, wanted=None, limit=None):
    return [each.address_key async for each in store.listing.matching(wanted or Filter(), limit)]


async def test_suppress_by_hand(store, make):
    """A suppression by hand is kept under the key with who and why; the same again changes nothing."""
    added = await store.suppress(
        "jan.kowalski@example.pl", BY_HAND, by="ewa", note="prosił telefonicznie", written="Jan.Kowalski@EXAMPLE.pl"
    )
    again = await store.suppress("jan.kowalski@example.pl", BY_HAND, by="adam")
    assert added == again == (await store.suppressed("jan.kowalski@example.pl"))[0]
    assert (added.address, added.created_by, added.note) == ("Jan.Kowalski@EXAMPLE.pl", "ewa", "prosił telefonicznie")
    (change,) = await store.changes(0)
    assert (change.operation, change.by, change.note) == (Operation.ADD, "ewa", "prosił telefonicznie")


async def test_suppress_after_expiry(store, make, clock):
    """One that has expired is ended and replaced."""
    await store.suppress("a@example.pl", Sentence(Scope.GLOBAL, "", Cause.MANUAL, make.noon + DAY), by="ewa")
    clock.now = make.noon + DAY
    assert await store.suppressed("a@example.pl") == ()
    await store.suppress("a@example.pl", BY_HAND, by="ewa")
    old, new = await store.listing.of("a@example.pl")
    assert (old.ended_at, old.ended_by, new.ended_at) == (make.noon + DAY, "expiry", None)


async def test_lift(store, make, clock):
    """Lifting ends what matches, says what it ended, and does nothing the second time."""
    await store.suppress("a@example.pl", BY_HAND, by="ewa")
    await store.suppress("a@example.pl", Sentence(Scope.LIST, "l.example.pl", Cause.UNSUBSCRIBE, None), by="ewa")
    await store.suppress("b@example.pl", BY_HAND, by="ewa")
    clock.now = make.noon + DAY
    (ended,) = await store.lift("a@example.pl", by="adam", scope=Scope.LIST, note="zapisał się znowu")
    assert (ended.cause, ended.ended_at, ended.ended_by) == (Cause.UNSUBSCRIBE, make.noon + DAY, "adam")
    assert await store.lift("a@example.pl", by="adam", scope=Scope.LIST) == ()
    assert len(await store.lift("a@example.pl", by="adam")) == 1
    assert await listed(store) == ["b@example.pl"]
    assert len(await store.listing.of("a@example.pl")) == 2
    log = await store.changes(3)
    assert [(change.operation, change.by, change.note) for change in log] == [
        (Operation.REMOVE, "adam", "zapisał się znowu"),
        (Operation.REMOVE, "adam", ""),
    ]


async def test_suppressed_again_after_lift(store, make):
    """After a lift policy may suppress the address anew."""
    await store.record([make.entry("e1", make.suppressed())])
    await store.lift("anna@example.net", by="ewa")
    await store.record([make.entry("e2", make.suppressed())])
    assert [each.event_id for each in await store.suppressed("anna@example.net")] == ["e2"]


async def test_filters(store, make):
    """Each filter narrows the list by what it names; together they narrow further."""
    full, unknown = Category.MAILBOX_FULL, Category.USER_UNKNOWN
    soft, hard = make.suppressed(Cause.SOFT), make.suppressed(Cause.HARD)
    await store.record([make.entry("e1", soft, "anna@example.net", category=full)])
    await store.record([make.entry("e2", hard, "adam@example.pl", category=unknown)])
    await store.suppress("ewa@example.pl", BY_HAND, by="ewa")
    assert await listed(store, Filter(cause=Cause.SOFT)) == ["anna@example.net"]
    assert await listed(store, Filter(category=unknown)) == ["adam@example.pl"]
    assert await listed(store, Filter(class_=Class.HARD)) == ["adam@example.pl"]
    assert await listed(store, Filter(domain="example.pl")) == ["adam@example.pl", "ewa@example.pl"]
    assert await listed(store, Filter(domain="example.pl", cause=Cause.HARD)) == ["adam@example.pl"]
    assert await listed(store, limit=2) == ["anna@example.net", "adam@example.pl"]


@pytest.mark.parametrize("name", ["%", "%.pl", "_xample.pl", "example.p_", "/", "'", "\\", '";--'])
async def test_f47_search_is_literal(store, name):
    """Wildcards, quotes and the escape character itself stand for themselves in a search."""
    await store.suppress("ab@example.pl", BY_HAND, by="ewa")
    assert await listed(store, Filter(domain=name)) == []
    assert await listed(store, Filter(provider=name)) == []


async def test_long_list_in_pages(store, monkeypatch):
    """A list longer than a page is whole, in order, and stops at its limit."""
    monkeypatch.setattr("bouncemilter.store.listing.PAGE", 3)
    names = [f"u{number}@example.pl" for number in range(8)]
    await asyncio.gather(*(store.suppress(name, BY_HAND, by="ewa") for name in names))
    assert await listed(store) == names
    assert await listed(store, limit=4) == names[:4]
    assert await listed(store, limit=0) == []


async def test_changes_are_followed(store):
    """A reader that goes on from the last `seq` sees each change once, in order."""
    assert await store.last_change() == 0
    for name in ("a@example.pl", "b@example.pl", "c@example.pl"):
        await store.suppress(name, BY_HAND, by="ewa")
    first = await store.changes(0, limit=2)
    rest = await store.changes(first[-1].seq)
    assert [change.suppression.address_key for change in (*first, *rest)] == [
        "a@example.pl",
        "b@example.pl",
        "c@example.pl",
    ]
    assert await store.last_change() == rest[-1].seq


async def test_watched(store, make):
    """Watched are those with a mark, no success since, and no suppression in force; with their newest mark."""

    def third(_history):
        return Decision(Effect.COUNTED, "", counts=True, watched="3/4")

    await store.record([make.entry("e1", at=make.noon - 2 * DAY), make.entry("e2", third, at=make.noon - DAY)])
    await store.record([make.entry("e3", address="alive@example.net", at=make.noon - 2 * DAY)])
    await store.record([make.entry("e4", make.succeeded, "alive@example.net", at=make.noon - DAY)])
    await store.record([make.entry("e5", address="refused@example.net")])
    await store.suppress("refused@example.net", BY_HAND, by="ewa")
    await store.record([make.entry("e6", address="long.ago@example.net", at=make.noon - 40 * DAY)])
    (found,) = await store.listing.watched()
    assert (found.address_key, found.watched, found.at) == ("anna@example.net", "3/4", make.noon - DAY)


async def test_purge(store, make, monkeypatch):
    """Retention deletes events and empties excerpts by age, in pieces; ids, counts and suppressions stay."""
    monkeypatch.setattr("bouncemilter.store.retention.PIECE", 2)
    monkeypatch.setattr("bouncemilter.store.store.PIECE", 2)
    ages = {"new": 13, "two weeks": 15, "month": 31, "old": 399, "older": 401, "oldest": 900}
    entries = [make.entry(name, make.suppressed(), at=make.noon - days * DAY) for name, days in ages.items()]
    entries.append(make.entry("away", address="b@example.net", kind=Kind.AUTO_REPLY, at=make.noon - 15 * DAY))
    await store.record(entries, [make.tally])
    assert await store.purge(make.noon) == Purged(events=2, excerpts=5)
    left = {stored.event.id: bool(stored.event.excerpt) for stored in await store.events_of("anna@example.net")}
    assert left == {"new": True, "two weeks": True, "month": False, "old": False}
    assert [stored.event.excerpt for stored in await store.events_of("b@example.net")] == [""]
    assert len(await store.suppressed("anna@example.net")) == 1
    assert (await store.record([make.entry("oldest")]))[0].duplicate
    assert (await store.record([make.entry("oldest")]))[0].decision is None
    assert await store.purge(make.noon) == Purged(0, 0)


def test_retention_keeps_what_is_counted():
    """Events cannot be deleted while policy still counts them."""
    with pytest.raises(ValueError, match="33 days"):
        Retention(events=32 * DAY)

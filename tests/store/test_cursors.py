"""The contract of those who follow the changes; the same on every engine."""

from __future__ import annotations

import datetime as dt

from bouncemilter.model import Cause, Scope, Sentence
from bouncemilter.store import Operation, State
from bouncemilter.store import cursors as store_cursors
from bouncemilter.store.filter import Filter

DAY = dt.timedelta(days=1)


def soft(until: dt.datetime) -> Sentence:
    return Sentence(Scope.GLOBAL, "", Cause.SOFT, until)


async def test_cursor(store):
    """A cursor is at the beginning, then where it was moved to; each name has its own."""
    assert await store.cursors.place("hook") == 0
    await store.cursors.move("hook", 7)
    await store.cursors.move("hook", 9)
    assert (await store.cursors.place("hook"), await store.cursors.place("other")) == (9, 0)


async def test_expiry_is_told_once(store, clock, monkeypatch):
    """What has expired is told once as removed, in pieces, also where many expire at the same moment."""
    monkeypatch.setattr(store_cursors, "PIECE", 2)
    for number, days in enumerate((1, 2, 2, 2, 3)):
        await store.suppress(f"a{number}@example.pl", soft(clock.now + days * DAY), by="policy")
    last = await store.last_change()
    for days, told in ((1, ["a0"]), (0, []), (1.5, ["a1", "a2", "a3"]), (1, ["a4"]), (1, [])):
        clock.now += days * DAY
        await store.cursors.tell_expired()
        found = await store.cursors.changes(last, 10)
        assert [each.change.suppression.address_key.partition("@")[0] for each in found] == told
        assert {each.change.operation for each in found} <= {Operation.REMOVE}
        assert not any(each.suppressed for each in found)
        last = await store.last_change()
    assert await store.listing.count(Filter(state=State.EXPIRED)) == 5


async def test_probation_outlives_the_telling(store, make, clock):
    """Telling an expiry leaves the row as it is: the next failure still finds the address on probation."""
    await store.record([make.entry("e1", make.suppressed(Cause.SOFT, expires_at=clock.now + DAY))])
    clock.now += 2 * DAY
    await store.cursors.tell_expired()
    histories = []
    await store.record([make.entry("e2", make.seen(histories), at=clock.now)])
    assert histories[0].probation is not None


async def test_lifted_is_not_told_again(store, clock):
    """What was lifted before its time was over is told by the lifting alone."""
    await store.suppress("a@example.pl", soft(clock.now + DAY), by="policy")
    await store.lift("a@example.pl", by="ewa")
    last = await store.last_change()
    clock.now += 2 * DAY
    await store.cursors.tell_expired()
    assert await store.last_change() == last


async def test_standing_of_now(store):
    """Each change tells how its address stands now: suppressed by another cause, and whether for all mail."""
    await store.suppress("a@example.pl", Sentence(Scope.LIST, "l.example.pl", Cause.UNSUBSCRIBE, None), by="ewa")
    await store.suppress("a@example.pl", Sentence(Scope.GLOBAL, "", Cause.MANUAL, None), by="ewa")
    await store.lift("a@example.pl", by="ewa", cause=Cause.MANUAL)
    found = await store.cursors.changes(0, 10)
    assert [(each.suppressed, each.everywhere) for each in found] == [(True, False)] * 3

"""Records of sent mail: days, counts and the recipients of messages; what policy learns from them."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from bouncemilter.model import Category, Effect, Sent, SentDays, address_hash
from bouncemilter.store import Retention, schema, sent
from tests.store.outbreak import DAY, fail, failure, mail

FULL = Category.MAILBOX_FULL
JAN = "jan@klient.test"


async def days(store, address: str) -> SentDays | None:
    async with store._read() as connection:
        return (await sent.days(connection, [address_hash(address)])).get(address_hash(address))


async def test_days_of_an_address(store, clock):
    """Each day is remembered, in whatever order and however often it is told."""
    for back in (7, 0, 20, 7, 69):
        await mail(store, [JAN], clock.now - back * DAY)
    found = await days(store, JAN)
    today = clock.now.date()
    assert (found.first, found.last) == (today - 69 * DAY, today)
    asked = {back: found.latest(today - dt.timedelta(days=back)) for back in (0, 1, 7, 8, 20, 21, 70)}
    told = {back: day and (today - day).days for back, day in asked.items()}
    assert told == {0: 0, 1: 7, 7: 7, 8: 20, 20: 20, 21: 69, 70: None}
    assert await days(store, "nobody@klient.test") is None


async def test_counts(store, clock):
    """Counts are by day, stream, sender, list, campaign and provider, and add up."""
    one = Sent(JAN, clock.now, "news", "l.example.com", "may", "example.com", "klient.test")
    other = Sent("ewa@wp.pl", clock.now, "news", "l.example.com", "may", "example.com", "wp.pl")
    await store.sent.record([one, one, other])
    await store.sent.record([one])
    await store.sent.record([])
    async with store._read() as connection:
        rows = (await connection.execute(sa.select(schema.sent_counts))).all()
    assert [(row.provider, row.campaign, row.n) for row in sorted(rows, key=lambda row: row.provider)] == [
        ("klient.test", "may", 3),
        ("wp.pl", "may", 1),
    ]


async def test_recipients_of_a_message(store):
    """A message's recipients are known by their hashes, told again or not; an unknown message has none."""
    people = [JAN, "ewa@wp.pl", "zażółć@example.pl"]
    for _ in range(2):
        await store.sent.record_message("ab12", people)
    assert await store.sent.recipients("ab12") == {address_hash(each) for each in people}
    assert await store.sent.recipients("ab13") == frozenset()


async def test_retention(store, clock):
    """Messages are forgotten after 32 days, addresses that are no longer written to after 400."""
    await mail(store, [JAN], clock.now)
    await store.sent.record_message("ab12", [JAN])
    await store.purge(clock.now + 32 * DAY)
    assert await store.sent.recipients("ab12")
    await store.purge(clock.now + 32 * DAY + dt.timedelta(seconds=1))
    assert not await store.sent.recipients("ab12")
    await store.purge(clock.now + Retention().events)
    assert await days(store, JAN)
    await store.purge(clock.now + Retention().events + DAY)
    assert await days(store, JAN) is None


@pytest.mark.parametrize(("sent_after", "watched"), [(3, "1/4"), (5, "2/4")])
async def test_a_later_message_that_arrived(store, clock, sent_after, watched):
    """A message sent after a soft failure, with no failure for six days, makes soft counts start anew."""
    start = clock.now
    await mail(store, [JAN], start)
    await fail(store, [failure(JAN, start, FULL)])
    await mail(store, [JAN], start + sent_after * DAY)
    clock.now = start + 10 * DAY
    await mail(store, [JAN], clock.now)
    (found,) = await fail(store, [failure(JAN, clock.now, FULL)])
    assert found.decision.watched == watched


async def test_a_later_message_that_failed(store, clock):
    """If it failed too, be it for our own fault, it proves nothing."""
    start = clock.now
    await mail(store, [JAN], start)
    await fail(store, [failure(JAN, start, FULL)])
    await mail(store, [JAN], start + 3 * DAY)
    await fail(store, [failure(JAN, start + 4 * DAY, Category.CONTENT_BLOCKED)])
    (found,) = await fail(store, [failure(JAN, start + 10 * DAY, FULL)])
    assert found.decision.watched == "2/4"


async def suppress_softly(store, clock) -> None:
    for _ in range(4):
        (found,) = await fail(store, [failure(JAN, clock.now, FULL)])
        clock.now += DAY
    assert found.decision.effect is Effect.SUPPRESSED


async def expiry(store) -> dt.datetime | None:
    return (await store.listing.of(JAN))[-1].expires_at


async def test_probation(store, clock):
    """After 90 days one soft failure suppresses for 180, and after those one more for good."""
    await suppress_softly(store, clock)
    clock.now = await expiry(store)
    assert await store.suppressed(JAN) == ()
    clock.now += 32 * DAY
    (second,) = await fail(store, [failure(JAN, clock.now, FULL)])
    assert "on probation" in second.decision.reason
    assert await expiry(store) == clock.now + 180 * DAY
    clock.now = await expiry(store) + DAY
    await fail(store, [failure(JAN, clock.now, FULL)])
    (third,) = await store.suppressed(JAN)
    assert (third.expires_at, third.times) == (None, 3)


async def test_probation_ends_after_quiet_days(store, clock):
    """32 days without a failure end it: the next soft failure is the first of four."""
    await suppress_softly(store, clock)
    clock.now = await expiry(store) + 32 * DAY + dt.timedelta(seconds=1)
    (found,) = await fail(store, [failure(JAN, clock.now, FULL)])
    assert found.decision.watched == "1/4"


@pytest.mark.parametrize("recorded", [True, False])
async def test_probation_ends_with_a_success(store, clock, recorded):
    """A report of a success ends it, or a message that did not fail for six days."""
    await suppress_softly(store, clock)
    clock.now = await expiry(store) + DAY
    if recorded:
        await mail(store, [JAN], clock.now)
    else:
        alive = failure(JAN, clock.now, category=None, kind="delivered")
        await fail(store, [alive])
    clock.now += 7 * DAY
    (found,) = await fail(store, [failure(JAN, clock.now, FULL)])
    assert found.decision.watched == "1/4"

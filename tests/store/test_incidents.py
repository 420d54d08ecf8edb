"""The incident fuse: living addresses that fail all at once are not suppressed, dead ones are."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace

import pytest

from bouncemilter.model import Category, Effect, IncidentDecision, IncidentKind, Kind, Trust
from bouncemilter.store import Filter, NamedFailures, Operation, State, Store
from tests.store.outbreak import DAY, MINUTE, effects, fail, failure, mail, people

HOUR = dt.timedelta(hours=1)
BOTH = Filter(state=None)


async def listed(store: Store, wanted: Filter | None = None) -> list[str]:
    return [each.address_key async for each in store.listing.matching(wanted or Filter())]


async def open_gmail(store: Store, clock, count: int = 60) -> list[str]:
    """Addresses that were written to three weeks ago, and all fail now."""
    living = people(count)
    await mail(store, living, clock.now - 21 * DAY)
    await mail(store, living, clock.now)
    await fail(store, [failure(each, clock.now) for each in living])
    return living


async def test_f41_gmails_hour(store, clock):
    """3,000 living addresses answer 550 5.1.1 within minutes: none is suppressed, and one incident holds them."""
    living = people(3000)
    await mail(store, living, clock.now - 21 * DAY)
    for minute in range(6):
        clock.now += MINUTE
        some = living[minute::6]
        await fail(store, [failure(each, clock.now, remote_host="gmail-smtp-in.l.google.com") for each in some])
    assert await listed(store) == []
    assert len(await listed(store, Filter(state=State.PENDING))) == 3000
    (found,) = await store.incidents.newest()
    assert (found.kind, found.domain, found.category) == (
        IncidentKind.PROVIDER,
        "google.com",
        Category.USER_UNKNOWN,
    )
    assert (found.events, found.pending, found.suppressed) == (3000, 3000, 0)
    assert found.is_open(clock.now)
    assert await store.suppressed(living[0]) == ()
    # Whoever follows the changes ends with nobody suppressed, too.
    standing: dict[str, int] = {}
    for change in await store.changes(0, limit=10_000):
        step = 1 if change.operation is Operation.ADD else -1
        key = change.suppression.address_key
        standing[key] = standing.get(key, 0) + step
    assert set(standing.values()) <= {0}
    undone = await store.incidents.undo(found.id, by="ewa")
    assert (undone.outcome, undone.pending, undone.suppressed) == (IncidentDecision.UNDONE, 0, 0)
    for one in living[::500]:
        assert [each.excused for each in await store.events_of(one)] == [True]
    assert await listed(store, BOTH) == []


async def test_the_fiftieth_of_one_batch(store, clock):
    """What was decided before the incident, in the same batch, is told as pending as well."""
    living = people(60)
    await mail(store, living, clock.now - 21 * DAY)
    recorded = await fail(store, [failure(each, clock.now) for each in living])
    assert effects(recorded) == {Effect.PENDING: 60}
    assert [each.opened for each in recorded if each.opened] == [IncidentKind.PROVIDER]
    assert effects(await fail(store, [failure("new@gmail.com", clock.now)])) == {Effect.PENDING: 1}


async def test_fortynine_are_no_incident(store, clock):
    """49 living ones are suppressed; so are many more of which only 24 were written to six days before."""
    living = people(49)
    await mail(store, living, clock.now - 6 * DAY)
    assert effects(await fail(store, [failure(each, clock.now) for each in living])) == {Effect.SUPPRESSED: 49}
    few, new = people(24, "wp.pl", "old"), people(300, "wp.pl", "new")
    await mail(store, few, clock.now - 6 * DAY)
    await mail(store, new, clock.now - 5 * DAY)
    again = [failure(each, clock.now, template="") for each in (*few, *new)]
    assert effects(await fail(store, again)) == {Effect.SUPPRESSED: 324}
    assert await store.incidents.newest() == ()


async def test_failed_before(store, clock):
    """Who failed since he was written to is no sign of an incident."""
    weak = people(60)
    await mail(store, weak, clock.now - 10 * DAY)
    await fail(store, [failure(each, clock.now - 8 * DAY, Category.MAILBOX_FULL) for each in weak])
    assert effects(await fail(store, [failure(each, clock.now) for each in weak])) == {Effect.SUPPRESSED: 60}


async def test_two_hours_are_two(store, clock):
    """49 in one hour and 49 in the next but one are no incident."""
    living = people(98)
    await mail(store, living, clock.now - 21 * DAY)
    await fail(store, [failure(each, clock.now) for each in living[:49]])
    clock.now += 60 * MINUTE
    assert effects(await fail(store, [failure(each, clock.now) for each in living[49:]])) == {Effect.SUPPRESSED: 49}


@pytest.mark.parametrize("signing", [True, False])
@pytest.mark.parametrize("half_at_gmail", [True, False])
async def test_first_mailing_of_an_old_list(store, clock, signing, half_at_gmail):
    """10,000 with a quarter dead, mailed for the first time: the dead are suppressed, and nothing is an incident."""
    domains = ["gmail.com"] if half_at_gmail else []
    dead = people(1250, domains[0]) if domains else []
    dead += [f"dead{number}@firma{number % 300}.pl" for number in range(2500 - len(dead))]
    if signing:
        await mail(store, [*dead, *people(7500, "onet.pl", "living")], clock.now - DAY)
    for minute in range(5):
        await fail(store, [failure(each, clock.now + minute * MINUTE) for each in dead[minute::5]])
    assert len(await listed(store)) == 2500
    assert await store.incidents.newest() == ()


async def test_without_records(store, clock):
    """Without records of sent mail 200 that are unusual in 28 days are an incident, once the store knows so many."""
    await fail(store, [failure("first@wp.pl", clock.now - 28 * DAY, Category.MAILBOX_FULL)])
    assert effects(await fail(store, [failure(each, clock.now) for each in people(199)])) == {Effect.SUPPRESSED: 199}
    assert effects(await fail(store, [failure("one.too.many@gmail.com", clock.now)])) == {Effect.PENDING: 1}
    assert len(await listed(store, Filter(state=State.PENDING))) == 200


async def test_without_records_as_usual(store, clock):
    """Where 100 an hour are usual, 499 are no incident and 500 are."""
    for week in (4, 3, 2, 1):
        old = people(100, name=f"week{week}")
        await fail(store, [failure(each, clock.now - week * 7 * DAY) for each in old])
    await fail(store, [failure(each, clock.now) for each in people(499)])
    assert await store.incidents.newest() == ()
    await fail(store, [failure("one.too.many@gmail.com", clock.now)])
    assert len(await store.incidents.newest()) == 1


async def test_young_records_tell_nothing(store, clock):
    """Where signing began two days ago, nobody can be known to have lived before: the other way counts."""
    await fail(store, [failure("first@wp.pl", clock.now - 28 * DAY, Category.MAILBOX_FULL)])
    living = people(200)
    await mail(store, living, clock.now - 2 * DAY)
    await fail(store, [failure(each, clock.now) for each in living])
    assert len(await store.incidents.newest()) == 1


async def test_template_of_many_providers(store, clock):
    """The same words from many hosts are an incident of their own; other words of the same category are not held."""
    living = [f"anna@firma{number}.pl" for number in range(60)]
    await mail(store, living, clock.now - 21 * DAY)
    found = await fail(store, [failure(each, clock.now, template="550 5.1.1 gateway is confused") for each in living])
    assert effects(found) == {Effect.PENDING: 60}
    (one,) = await store.incidents.newest()
    assert (one.kind, one.template) == (IncidentKind.TEMPLATE, "550 5.1.1 gateway is confused")
    assert effects(await fail(store, [failure("x@firma1.pl", clock.now)])) == {Effect.SUPPRESSED: 1}


async def test_other_failures_go_on(store, clock):
    """An incident at one provider holds nothing back at another, and no other category."""
    await open_gmail(store, clock)
    others = [failure("a@wp.pl", clock.now, template=""), failure("b@gmail.com", clock.now, Category.DOMAIN_NO_MAIL)]
    assert effects(await fail(store, others)) == {Effect.SUPPRESSED: 2}


async def test_closes_after_a_quiet_day(store, clock):
    """It closes 24 hours after its newest member; then a later failure of a pending address suppresses it."""
    living = await open_gmail(store, clock)
    clock.now += dt.timedelta(hours=23)
    assert effects(await fail(store, [failure(living[0], clock.now)])) == {Effect.PENDING: 1}
    clock.now += dt.timedelta(hours=23)
    assert effects(await fail(store, [failure("new@gmail.com", clock.now)])) == {Effect.PENDING: 1}
    clock.now += dt.timedelta(hours=24)
    assert (await store.incidents.undecided()).open == 0
    assert effects(await fail(store, [failure(living[1], clock.now)])) == {Effect.SUPPRESSED: 1}
    assert await listed(store) == [living[1]]
    assert len(await listed(store, Filter(state=State.PENDING))) == 60


async def test_a_trickle_does_not_hold_it_open(store, clock):
    """A week after it was last over its limit an incident closes, although dead addresses go on failing."""
    await open_gmail(store, clock)
    found = []
    for day in range(8):
        clock.now += dt.timedelta(hours=23)
        found += await fail(store, [failure(f"dead{day}@gmail.com", clock.now)])
    assert effects(found) == {Effect.PENDING: 7, Effect.SUPPRESSED: 1}


async def test_the_same_message_decides_nothing(store, clock):
    """A second report on the message of the incident, come late, does not suppress a pending address."""
    living = people(60)
    await mail(store, living, clock.now - 21 * DAY)
    events = [failure(each, clock.now) for each in living]
    await fail(store, events)
    clock.now += 3 * DAY
    late = replace(events[0], id="late", at=clock.now)
    assert effects(await fail(store, [late])) == {Effect.COUNTED: 1}
    assert await listed(store) == []


async def test_success_clears(store, clock):
    """A sign of life ends what is pending; the change log has nothing to say about it."""
    living = await open_gmail(store, clock)
    before = await store.last_change()
    clock.now += DAY
    alive = failure(living[0], clock.now, kind=Kind.DELIVERED)
    assert effects(await fail(store, [replace(alive, category=None)])) == {Effect.SUCCESS: 1}
    (old,) = await store.listing.of(living[0])
    assert (old.pending, old.ended_at, old.ended_by) == (True, clock.now, "success")
    assert await store.last_change() == before
    assert len(await listed(store, Filter(state=State.PENDING))) == 59


async def test_a_later_message_that_arrived_clears(store, clock):
    """Whose next message has not failed for six days is pending no more; who got none, or one that failed, stays."""
    living = await open_gmail(store, clock)
    clock.now += 2 * DAY
    await mail(store, living[:3], clock.now)
    await fail(store, [failure(living[2], clock.now, Category.CONTENT_BLOCKED)])
    clock.now += 5 * DAY
    await store.purge(clock.now)
    assert len(await listed(store, Filter(state=State.PENDING))) == 60
    clock.now += DAY
    await store.purge(clock.now)
    assert sorted(await listed(store, Filter(state=State.PENDING))) == sorted(living[2:])
    assert [each.ended_by for each in await store.listing.of(living[0])] == ["success"]


async def test_release_and_undo(store, clock):
    """Released, its addresses are suppressed; undone after that by who was wrong, they are free and start anew."""
    living = await open_gmail(store, clock)
    (found,) = await store.incidents.newest()
    before = await store.last_change()
    released = await store.incidents.release(found.id, by="adam", note="naprawdę")
    assert (released.outcome, released.pending, released.suppressed) == (IncidentDecision.RELEASED, 0, 60)
    assert len(await listed(store)) == 60
    added = await store.changes(before)
    assert {(each.operation, each.by) for each in added} == {(Operation.ADD, "adam")}
    assert await store.incidents.release(found.id, by="adam") is None
    # What fails after a release is taken for dead as well.
    assert effects(await fail(store, [failure("new@gmail.com", clock.now)])) == {Effect.SUPPRESSED: 1}
    before = await store.last_change()
    undone = await store.incidents.undo(found.id, by="ewa")
    assert (undone.outcome, undone.decided_by, undone.suppressed) == (IncidentDecision.UNDONE, "ewa", 0)
    assert {(each.operation, each.by) for each in await store.changes(before)} == {(Operation.REMOVE, "ewa")}
    assert await listed(store) == ["new@gmail.com"]
    assert await store.incidents.undo(found.id, by="ewa") is None
    assert await store.incidents.undo(999, by="ewa") is None
    clock.now += DAY
    again = await fail(store, [failure(living[0], clock.now, trust=Trust.PLAUSIBLE)])
    assert effects(again) == {Effect.COUNTED: 1}


async def test_undo_what_nobody_noticed(store, clock):
    """Failures that tripped nothing are named by provider, category and time, and are undone like an incident."""
    await fail(store, [failure(each, clock.now - DAY) for each in people(30)])
    await fail(store, [failure("a@wp.pl", clock.now - DAY), failure("b@gmail.com", clock.now - 9 * DAY)])
    meant = NamedFailures("gmail.com", Category.USER_UNKNOWN, clock.now - 2 * DAY, clock.now)
    assert await store.incidents.count_failures(meant) == (30, 30)
    undone = await store.incidents.undo_failures(meant, by="ewa")
    assert (undone.kind, undone.outcome, undone.events) == (IncidentKind.MANUAL, IncidentDecision.UNDONE, 30)
    assert await listed(store) == ["a@wp.pl", "b@gmail.com"]
    assert await store.incidents.undo_failures(meant, by="ewa") is None
    assert await store.incidents.count_failures(meant) == (0, 0)


async def test_restart_in_the_midst(store, url, clock):
    """What was counted before a restart counts after it; and an open incident stays open."""
    living = people(80)
    await mail(store, living, clock.now - 21 * DAY)
    await fail(store, [failure(each, clock.now) for each in living[:49]])
    async with await Store.open(url, clock=clock) as second:
        assert effects(await fail(second, [failure(each, clock.now) for each in living[49:60]])) == {Effect.PENDING: 11}
    async with await Store.open(url, clock=clock) as third:
        assert effects(await fail(third, [failure(each, clock.now) for each in living[60:]])) == {Effect.PENDING: 20}
        assert len(await third.incidents.newest()) == 1
    assert len(await listed(store, Filter(state=State.PENDING))) == 80


async def test_copies_count_once(store, clock):
    """49 failures, each reported by many copies at once, are no incident."""
    living = people(49)
    await mail(store, living, clock.now - 21 * DAY)
    events = [failure(each, clock.now) for each in living]
    answers = await asyncio.gather(*(fail(store, events) for _ in range(4)))
    assert sum(not each.duplicate for answer in answers for each in answer) == 49
    assert await store.incidents.newest() == ()


async def test_batch_that_fails_leaves_nothing(store, clock):
    """A batch that is rolled back and judged again opens one incident, and counts nobody twice."""
    living = people(60)
    await mail(store, living, clock.now - 21 * DAY)
    events = [failure(each, clock.now) for each in living]
    poison = failure("poison@gmail.com", clock.now, diagnostic="\ud800")
    answers = await asyncio.gather(
        *(fail(store, [each]) for each in (*events[:55], poison, *events[55:])), return_exceptions=True
    )
    assert sum(isinstance(each, Exception) for each in answers) == 1
    (found,) = await store.incidents.newest()
    assert (found.pending, found.events) == (60, 60)


async def test_lift_frees_what_is_pending(store, clock):
    """An operator who frees an address frees it of what is pending, too."""
    living = await open_gmail(store, clock)
    (lifted,) = await store.lift(living[0], by="ewa")
    assert lifted.pending
    assert await store.listing.held_back(living[0]) == ()
    assert len(await store.listing.held_back(living[1])) == 1


async def test_dead_resolver(store, clock):
    """Twenty domains that are not found or do not answer within an hour are our own outage: nothing counts."""
    three = [Category.DOMAIN_NOT_FOUND, Category.HOST_NOT_RESPONDING, Category.DELIVERY_TIMEOUT]
    names = [f"anna@firma{number}.pl" for number in range(60)]
    # One failure before: with the outage's it would be suppressed.
    await fail(store, [failure(each, clock.now - 2 * DAY, Category.DOMAIN_NOT_FOUND) for each in names[:3]])
    clock.now += MINUTE
    found = []
    for number, name in enumerate(names):
        found += await fail(store, [failure(name, clock.now, three[number % 3])])
    assert await listed(store) == []
    (one,) = await store.incidents.newest()
    assert (one.kind, one.events, one.category) == (IncidentKind.OUTAGE, 60, None)
    for each in names:
        assert (await store.events_of(each))[0].excused
    # When it is over, counting begins where it was.
    clock.now += 2 * DAY
    (after,) = await fail(store, [failure(names[5], clock.now, Category.DOMAIN_NOT_FOUND)])
    assert (after.decision.effect, after.decision.watched) == (Effect.COUNTED, "1/2")


async def test_nineteen_domains_are_no_outage(store, clock):
    """19 domains count as ever, whatever the number of addresses; so do 20 that took longer than an hour."""
    names = [f"u{number}@firma{number % 19}.pl" for number in range(100)]
    await fail(store, [failure(each, clock.now, Category.HOST_NOT_RESPONDING) for each in names])
    clock.now += HOUR
    await fail(store, [failure("a@firma99.pl", clock.now, Category.HOST_NOT_RESPONDING)])
    assert await store.incidents.newest() == ()


async def test_usual_outage_is_none(store, clock):
    """Where every weekly mailing finds 30 dead hosts in an hour, 100 are none of ours, and 150 are."""
    for week in (4, 3, 2, 1):
        for number in range(30):
            event = failure(f"a@week{week}-{number}.pl", clock.now - week * 7 * DAY, Category.DELIVERY_TIMEOUT)
            await fail(store, [event])
    hosts = [f"a@host{number}.pl" for number in range(150)]
    await fail(store, [failure(each, clock.now, Category.DELIVERY_TIMEOUT) for each in hosts[:149]])
    assert await store.incidents.newest() == ()
    await fail(store, [failure(hosts[149], clock.now, Category.DELIVERY_TIMEOUT)])
    assert len(await store.incidents.newest()) == 1


async def test_released_outage_counts(store, clock):
    """An operator who says that it was none of ours makes its failures count."""
    names = [f"anna@firma{number}.pl" for number in range(25)]
    await fail(store, [failure(each, clock.now, Category.DOMAIN_NOT_FOUND) for each in names])
    (one,) = await store.incidents.newest()
    await store.incidents.release(one.id, by="ewa")
    clock.now += DAY
    (again,) = await fail(store, [failure(names[0], clock.now, Category.DOMAIN_NOT_FOUND)])
    assert again.decision.effect is Effect.SUPPRESSED

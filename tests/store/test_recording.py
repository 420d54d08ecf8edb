"""The contract of recording, the same on every engine."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
import sqlalchemy as sa

from bouncemilter.model import Cause, Decision, Effect, History, Kind, Mark, Scope, Sentence, Trust
from bouncemilter.store import BadRow, Entry, Operation, Recorded, Store, StoredEvent, schema
from bouncemilter.store.ledger import MARKS_WINDOW

DAY = dt.timedelta(days=1)


async def test_event_round_trip(store, make):
    """Every field of an event and of its decision comes back as it went in."""
    sentence = Sentence(Scope.LIST, "l.example.pl", Cause.UNSUBSCRIBE, make.noon + DAY)
    decision = Decision(Effect.COUNTED, "would be suppressed", counts=True, watched="2/4", sentence=sentence)
    event = make.event("e1", closed_for_good=True, already_suppressed=True, left_company=True, new_address="b@x.test")
    recorded = await store.record([Entry(event, lambda _history: decision)])
    assert recorded == (Recorded("e1", duplicate=False, decision=decision),)
    assert await store.events_of("anna@example.net") == (StoredEvent(event, decision),)


async def test_f08_duplicate_across_batches(store, make):
    """A second copy is a duplicate, is not judged, and carries the stored decision."""
    histories = []
    first = await store.record([make.entry("e1")], [make.tally])
    second = await store.record([make.entry("e1", make.seen(histories, make.suppressed()))], [make.tally])
    assert second == (Recorded("e1", duplicate=True, decision=first[0].decision),)
    assert histories == []
    assert len(await store.events_of("anna@example.net")) == 1
    assert [count.n for count in await store.counts(make.noon.date(), make.noon.date())] == [1]


async def test_f08_duplicates_within_a_batch(store, make):
    """Many copies at once, in one message and in many, are one event, judged once."""
    histories = []
    judge = make.seen(histories)
    answers = await asyncio.gather(
        *(store.record([make.entry("e1", judge), make.entry("e1", judge)], [make.tally]) for _ in range(20))
    )
    assert sorted(each.duplicate for answer in answers for each in answer) == [False] + [True] * 39
    assert len({each.decision for answer in answers for each in answer}) == 1
    assert len(histories) == len(await store.events_of("anna@example.net")) == 1
    assert [count.n for count in await store.counts(make.noon.date(), make.noon.date())] == [1]


async def test_f08_two_servers(store, url, make):
    """Two stores that record the same messages at once, in opposite order, keep each once and never fail."""
    names = [f"e{number}" for number in range(40)]
    async with await Store.open(url) as other:
        answers = await asyncio.gather(
            *(store.record([make.entry(name)]) for name in names),
            *(other.record([make.entry(name)]) for name in reversed(names)),
        )
    assert sorted(each.duplicate for (each,) in answers) == [False] * 40 + [True] * 40
    assert len(await store.events_of("anna@example.net")) == 40


async def test_message_is_atomic(store, make):
    """A message whose second entry cannot be judged leaves nothing, and its neighbours are recorded."""

    def broken(_history: History) -> Decision:
        raise ZeroDivisionError

    answers = await asyncio.gather(
        store.record([make.entry("e1", address="a@example.net")]),
        store.record([make.entry("e2", make.suppressed()), make.entry("e3", broken)], [make.tally]),
        store.record([make.entry("e4", address="b@example.net")]),
        return_exceptions=True,
    )
    assert isinstance(answers[1], ZeroDivisionError)
    assert not answers[0][0].duplicate
    assert not answers[2][0].duplicate
    assert await store.events_of("anna@example.net") == ()
    assert await store.listing.of("anna@example.net") == ()
    assert await store.counts(make.noon.date(), make.noon.date()) == ()
    assert not (await store.record([make.entry("e2")]))[0].duplicate


@pytest.mark.parametrize(
    "poison",
    [{"diagnostic": "\ud800"}, {"at": dt.datetime(2024, 5, 14)}, {"status": object()}],  # noqa: DTZ001
    ids=["surrogate", "naive time", "type"],
)
async def test_poison_fails_alone(store, make, poison):
    """A value that the engine refuses fails its own message only."""
    calls = [store.record([make.entry(f"e{number}", address=f"u{number}@example.net")]) for number in range(9)]
    calls.insert(4, store.record([make.entry("bad", **poison, address_key="")]))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(answers.pop(4), BadRow)
    assert [answer[0].duplicate for answer in answers] == [False] * 9
    assert len(await store.events_of("u8@example.net")) == 1


async def test_history_within_a_batch(store, make):
    """An event's history holds those judged before it in the same batch, the duplicates left out."""
    histories = []
    judge = make.seen(histories)
    entries = [make.entry(f"e{number}", judge, at=make.noon + number * DAY) for number in range(3)]
    await store.record([*entries, entries[0]])
    assert [len(history.marks) for history in histories] == [0, 1, 2]
    category = entries[0].event.category
    first = Mark(make.noon, "mid:e0", category, Trust.TOKEN, forwarded=True, sender_domain="example.pl")
    assert histories[2].marks[0] == first


async def test_history_across_batches(store, make):
    """What is read from the database equals what was kept in memory: marks by time, the newest success."""
    histories = []
    late, early = make.entry("late", at=make.noon), make.entry("early", at=make.noon - 2 * DAY)
    await store.record([late, early])
    await store.record([make.entry("alive", make.succeeded, kind=Kind.DELIVERED, at=make.noon - DAY, category=None)])
    await store.record([make.entry("other", address="ewa@example.net")])
    await store.record([make.entry("new", make.seen(histories), at=make.noon + DAY)])
    (history,) = histories
    assert history.marks == (Mark.of(early.event), Mark.of(late.event))
    assert history.last_success == make.noon - DAY
    assert history.suppressed == frozenset()


async def test_history_window(store, make):
    """Marks up to the window's age are seen, older ones are not; each event in a batch has its own window."""
    histories = []
    edge = make.noon - MARKS_WINDOW
    await store.record([make.entry("edge", at=edge), make.entry("old", at=edge - dt.timedelta(seconds=1))])
    judge = make.seen(histories)
    await store.record([make.entry("new", judge), make.entry("older", judge, at=make.noon - DAY)])
    assert [mark.message_key for mark in histories[0].marks] == ["mid:edge"]
    assert [mark.message_key for mark in histories[1].marks] == ["mid:old", "mid:edge", "mid:new"]


async def test_only_counted_events_are_marks(store, make):
    """An event that is recorded and not counted is no mark."""
    histories = []
    await store.record([make.entry("e1", lambda _history: Decision(Effect.RECORDED, "greylisted"))])
    await store.record([make.entry("e2", make.seen(histories))])
    assert histories[0].marks == ()


class Excuse:
    """What an undone incident does to its events."""

    async def apply(self, connection, now):  # noqa: ARG002  (Work's signature)
        await connection.execute(sa.update(schema.events).values(excused=True))


async def test_excused_events_are_no_marks(store, make):
    """An event that was counted and is excused later is a mark no more, and says so."""
    histories = []
    await store.record([make.entry("e1")])
    await store._writer.write(Excuse())
    assert [stored.excused for stored in await store.events_of("anna@example.net")] == [True]
    assert await store.listing.watched() == ()
    await store.record([make.entry("e2", make.seen(histories))])
    assert histories[0].marks == ()


async def test_nobody_named(store, make):
    """An event without an address is kept, has no history, and suppresses nobody."""
    histories = []
    await store.record([make.entry("e1", make.suppressed(), address="")])
    await store.record([make.entry("e2", make.seen(histories), address="")])
    assert histories == [History()]
    assert [each async for each in store.listing.matching()] == []


async def test_suppression_with_evidence(store, make):
    """A sentence becomes a suppression with its event's evidence, one row of the change log, and history."""
    histories = []
    (recorded,) = await store.record([make.entry("e1", make.suppressed(Cause.HARD))])
    (found,) = await store.suppressed("anna@example.net")
    event = make.event("e1")
    assert (found.address, found.cause, found.created_by, found.created_at) == (
        event.address,
        Cause.HARD,
        "policy",
        make.noon,
    )
    assert (found.category, found.rule, found.template, found.diagnostic, found.trust) == (
        event.category,
        event.rule,
        event.template,
        event.diagnostic,
        event.trust,
    )
    assert (found.message_key, found.event_id, found.reason) == (event.message_key, "e1", recorded.decision.reason)
    (change,) = await store.changes(0)
    assert (change.operation, change.by, change.suppression) == (Operation.ADD, "policy", found)
    await store.record([make.entry("e2", make.seen(histories))])
    assert histories[0].suppressed == {(Scope.GLOBAL, "", Cause.HARD)}


async def test_no_second_suppression_in_force(store, make):
    """The same sentence again, in the batch or later, adds nothing; another scope or cause adds its own."""
    hard = make.suppressed(Cause.HARD)
    await store.record([make.entry("e1", hard), make.entry("e2", hard)])
    await store.record([make.entry("e3", hard)])
    await store.record([make.entry("e4", make.suppressed(Cause.COMPLAINT, Scope.SENDER, "example.pl"))])
    found = await store.suppressed("anna@example.net")
    assert [each.event_id for each in found] == ["e1", "e4"]
    assert len(await store.changes(0)) == 2


async def test_sentence_without_effect(store, make):
    """In the preset `observe` a sentence is kept with the event, and suppresses nobody."""
    sentence = Sentence(Scope.GLOBAL, "", Cause.HARD, None)
    await store.record(
        [make.entry("e1", lambda _history: Decision(Effect.COUNTED, "would be", counts=True, sentence=sentence))]
    )
    assert await store.listing.of("anna@example.net") == ()
    assert await store.changes(0) == ()


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
async def test_expired_suppression_is_replaced(store, make, together):
    """A sentence after the expiry of the row in force ends that row by `expiry` and adds a new one."""
    expires = make.noon + 90 * DAY
    first = make.entry("e1", make.suppressed(Cause.SOFT, expires_at=expires))
    during = make.entry("e2", make.suppressed(Cause.SOFT, expires_at=expires), at=expires - dt.timedelta(seconds=1))
    after = make.entry("e3", make.suppressed(Cause.SOFT, expires_at=None), at=expires)
    for entries in [[first, during, after]] if together else [[first], [during], [after]]:
        await store.record(entries)
    old, new = await store.listing.of("anna@example.net")
    assert (old.event_id, old.ended_at, old.ended_by) == ("e1", expires, "expiry")
    assert (new.event_id, new.ended_at, new.expires_at) == ("e3", None, None)
    log = [(change.operation, change.suppression.event_id) for change in await store.changes(0)]
    assert log == [(Operation.ADD, "e1"), (Operation.REMOVE, "e1"), (Operation.ADD, "e3")]


async def test_counts_by_utc_day(store, make, clock):
    """Tallies add up by the UTC day on which they are recorded, each combination apart, `None` included."""
    other = type(make.tally)(make.tally.front, Kind.MAIL, None, None, overflow=True)
    await asyncio.gather(store.record([], [make.tally, make.tally]), store.record([], [make.tally, other]))
    clock.now = make.noon.astimezone(dt.timezone(dt.timedelta(hours=13))) + dt.timedelta(hours=11)
    await store.record([], [make.tally])
    clock.now = make.noon + 12 * dt.timedelta(hours=1)
    await store.record([], [make.tally])
    found = await store.counts(make.noon.date(), make.noon.date() + DAY)
    today, tomorrow = make.noon.date(), make.noon.date() + DAY
    assert {(count.day, count.kind, count.category, count.trust, count.overflow): count.n for count in found} == {
        (today, Kind.BOUNCE, make.tally.category, Trust.TOKEN, False): 4,
        (today, Kind.MAIL, None, None, True): 1,
        (tomorrow, Kind.BOUNCE, make.tally.category, Trust.TOKEN, False): 1,
    }
    assert len(await store.counts(tomorrow, tomorrow)) == 1

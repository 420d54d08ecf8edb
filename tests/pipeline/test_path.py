"""From the octets of a message to its rows, its disposition and the figures: a real store, the real rules."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bouncemilter.model import Cause, Disposition, Effect, Front, Kind, Report, Scope, Source, Trust, Verdict
from bouncemilter.pipeline import path
from bouncemilter.pipeline.caps import EVENTS_AN_HOUR, EXCERPTS_AN_HOUR, OPT_OUTS_AN_HOUR, HourlyCap
from bouncemilter.policy import Preset
from bouncemilter.store import Store
from tests.pipeline.site import JAN, NOON, PLAIN, WATCHED, Ledger, Site, verp
from tests.rig import mail

DISCARD, PASS, TEMPFAIL = (Disposition.DISCARD,), (Disposition.PASS,), (Disposition.TEMPFAIL,)
HOUR = 1 / 24


def full(**fields: Any) -> bytes:
    """A full mailbox, Jan's."""
    return mail.dsn(verp(JAN), JAN, mail.FULL, **fields)


def forged(failed: str) -> bytes:
    """A report that nothing ties to mail of ours."""
    return mail.dsn(PLAIN, failed).replace(b"own.test", b"forger.test")


def asks(sender: str, subject: str = "unsubscribe", text: str = "Please unsubscribe me.") -> bytes:
    """A request to be taken off."""
    message = f"From: {sender}\nTo: {WATCHED}\nSubject: {subject}\nMessage-ID: <ask.{sender}>\n\n{text}\n"
    return message.encode()


@pytest.mark.parametrize(
    ("days", "suppressed"), [((0, 10, 20, 31), True), ((0, 10, 20, 32), True), ((0, 10, 20, 33), False)]
)
async def test_soft_window(site: Site, days: tuple[int, ...], suppressed: bool) -> None:
    """Four messages to a full mailbox suppress at the fourth, where the first is at most 32 days old."""
    for each in days[:3]:
        assert await site.deliver(full(), verp(JAN), days=each) == DISCARD
    assert not await site.suppressed(JAN)
    await site.deliver(full(), verp(JAN), days=days[3])
    assert await site.suppressed(JAN) is suppressed
    assert await site.watched(JAN) == ["1/4", "2/4", "3/4", "" if suppressed else "3/4"]


async def test_evidence(site: Site) -> None:
    """A suppression names its cause, its scope, its end and the words that ordered it."""
    for day in (0, 10, 20, 31):
        await site.deliver(full(), verp(JAN), days=day)
    (found,) = await site.store.listing.of(JAN)
    assert (found.cause, found.scope, found.created_by) == (Cause.SOFT, Scope.GLOBAL, "policy")
    assert found.expires_at == NOON + dt.timedelta(days=31 + 90)
    assert found.event_id == (await site.events(JAN))[-1].event.id
    assert found.diagnostic == mail.FULL.format(JAN)
    assert found.trust is Trust.PLAUSIBLE


async def test_two_reports_on_one_message(site: Site) -> None:
    """Messages are counted, not reports."""
    for _ in range(2):
        await site.deliver(mail.dsn(verp(JAN), JAN, original_id="<one@own.test>"), verp(JAN))
    assert await site.watched(JAN) == ["1/2", "1/2"]
    assert not await site.suppressed(JAN)


async def test_soft_spacing(site: Site) -> None:
    """Four mails within an hour to a full mailbox count once."""
    for number in range(4):
        await site.deliver(full(), verp(JAN), days=number * HOUR / 4)
    assert await site.watched(JAN) == ["1/4"] * 4


async def test_case_of_the_address(site: Site) -> None:
    """Jan and JAN are one address, in the return path as in the report."""
    for written in (JAN, JAN.upper(), "Jan@Klient.TEST", "jAN@klient.test"):
        await site.deliver(mail.dsn(PLAIN, written), verp(written))
        await site.deliver(mail.dsn(PLAIN, written), PLAIN, days=1)
    assert len(await site.events(JAN)) == 8
    assert len(await site.store.listing.of(JAN)) == 1


@pytest.mark.parametrize(
    ("address", "tag"), [("jan+a@klient.test", "jan@klient.test"), ("j.an@klient.test", "jan@klient.test")]
)
async def test_tags_and_dots(site: Site, address: str, tag: str) -> None:
    """Dots and tags are other mailboxes."""
    await site.deliver(mail.dsn(PLAIN, address), PLAIN)
    await site.deliver(mail.dsn(PLAIN, tag), PLAIN)
    assert len(await site.events(address)) == len(await site.events(tag)) == 1


@pytest.mark.parametrize("message", [mail.dsn(verp(JAN), JAN), asks(JAN), mail.out_of_office(verp(JAN), JAN)])
async def test_duplicate(site: Site, message: bytes) -> None:
    """A report that comes again by another front, with trace headers and other line ends, counts once.

    Its disposition is the first one's.
    """
    before, again = Ledger(Front.SINK), Ledger(Front.MILTER)
    first = await site.deliver(message, verp(JAN))
    trace = b"Return-Path: <>\nReceived: from mx.far.test\n\tby mx.own.test; Mon, 5 Jan 2026 10:00:00 +0100\n"
    copy = (trace + message).replace(b"\n", b"\r\n")
    assert await site.deliver(copy, verp(JAN).upper(), days=1, front=Front.MILTER, sender="x@far.test") == first
    assert len(await site.events(JAN)) == 1
    assert before.changed()["received"] == 1
    assert again.changed() == {"received": 1, "duplicates": 1, f"disposition {first[0]}": 1}
    assert sum([await site.counted(kind) for kind in Kind]) == 1


async def test_mail(site: Site) -> None:
    """What a person wrote is passed on and counted; nothing of it is kept."""
    ledger = Ledger(Front.SINK)
    assert await site.deliver(mail.letter(verp(JAN), JAN), verp(JAN)) == PASS
    assert await site.events(JAN) == []
    assert await site.counted(Kind.MAIL) == 1
    assert ledger.changed() == {"received": 1, "kind mail": 1, "disposition pass": 1}


async def test_unsubscribe_by_a_person(site: Site) -> None:
    """Who asks is taken off, and somebody reads what was written."""
    ledger = Ledger(Front.SINK)
    assert await site.deliver(asks(JAN, "prośba", "Proszę mnie wypisać z listy.\n\nJan"), WATCHED, sender=JAN) == PASS
    (found,) = await site.store.listing.of(JAN)
    assert (found.cause, found.scope, found.scope_value) == (Cause.UNSUBSCRIBE, Scope.SENDER, "own.test")
    assert found.expires_at is None
    assert ledger.changed() == {"received": 1, "kind unsubscribe": 1, "disposition pass": 1}


async def test_opt_outs_are_capped(site: Site) -> None:
    """Beyond 20 requests an hour from one client nobody is taken off, but everything is passed on."""
    people = [f"p{number}@klient.test" for number in range(OPT_OUTS_AN_HOUR + 1)]
    for each in people:
        request = asks(each, "prośba", "Proszę mnie wypisać z listy.")
        assert await site.deliver(request, WATCHED, sender=each, client="192.0.2.1") == PASS
    assert [each for each in people if not await site.suppressed(each)] == people[-1:]
    await site.deliver(asks("other@klient.test"), WATCHED, client="192.0.2.2")
    assert await site.suppressed("other@klient.test")


async def test_observe(store: Store) -> None:
    """Observing passes everything, suppresses nothing, and says what would have been done."""
    site = Site(store, Preset.OBSERVE)
    ledger = Ledger(Front.SINK)
    for _ in range(2):
        assert await site.deliver(mail.dsn(verp(JAN), JAN), verp(JAN)) == PASS
    assert await site.deliver(asks("ewa@klient.test"), WATCHED) == PASS
    assert await site.deliver(mail.out_of_office(verp(JAN), JAN), verp(JAN), days=1) == PASS
    assert not await site.suppressed(JAN)
    assert not await site.suppressed("ewa@klient.test")
    reports = [each.decision for each in await site.events(JAN) if each.event.kind is Kind.BOUNCE]
    assert ["would suppress" in each.reason for each in sorted(reports, key=lambda each: each.reason)] == [False, True]
    assert [bool(each.sentence) for each in reports].count(True) == 1
    ledger.changed()


@pytest.mark.parametrize(
    ("passed", "disposition"), [(frozenset(), DISCARD), (frozenset({Kind.AUTO_REPLY}), PASS)], ids=["no", "yes"]
)
async def test_also_pass(site: Site, passed: frozenset[Kind], disposition: tuple[Disposition, ...]) -> None:
    """An auto-reply is stored, and passed on as well where the settings say so."""
    site.configure(passed=passed)
    assert await site.deliver(mail.out_of_office(verp(JAN), JAN), verp(JAN)) == disposition
    assert await site.effects(JAN) == [Effect.SUCCESS]


async def test_sign_of_life(site: Site) -> None:
    """An auto-reply between soft bounces lets their count start anew."""
    for day in (0, 5, 10):
        await site.deliver(full(), verp(JAN), days=day)
    await site.deliver(mail.out_of_office(verp(JAN), JAN), verp(JAN), days=11)
    await site.deliver(full(), verp(JAN), days=15)
    assert (await site.watched(JAN))[-1] == "1/4"


async def test_forged(site: Site) -> None:
    """However many forged reports come, and whatever they say, nobody is suppressed (F38)."""
    for day in range(6):
        assert await site.deliver(forged(JAN), PLAIN, days=day) == DISCARD
    assert await site.effects(JAN) == [Effect.RECORDED] * 6
    assert {each.event.trust for each in await site.events(JAN)} == {Trust.NONE}
    assert not await site.suppressed(JAN)


async def test_own_mta(site: Site) -> None:
    """Our own MTA's report needs no second message; the same words from outside do."""
    own = b"Received: by mx.own.test (Postfix)\n\tid 4ABC; Mon, 5 Jan 2026 10:00:00 +0100 (CET)\n"
    outside = b"Received: from mx.own.test (mx.own.test [192.0.2.1])\n\tby mx.own.test (Postfix) id 4ABD;\n"
    await site.deliver(outside + mail.dsn(verp(JAN), JAN), verp(JAN), source=Source.LOCAL)
    assert not await site.suppressed(JAN)
    ewa = "ewa@klient.test"
    await site.deliver(own + mail.dsn(verp(ewa), ewa), verp(ewa), source=Source.LOCAL)
    assert await site.suppressed(ewa)


async def test_flood(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Event 1,001 of an hour that nobody can authenticate is only counted, and discarded like the others."""
    seconds = [0.0]
    monkeypatch.setattr(site.pipeline, "_event_cap", HourlyCap(3, clock=lambda: seconds[0]))
    assert site.pipeline._excerpt_cap._limit == EXCERPTS_AN_HOUR
    before = path.OVERFLOW._value.get()
    ledger = Ledger(Front.SINK)
    for _ in range(4):
        assert await site.deliver(forged(JAN), PLAIN) == DISCARD
    await site.deliver(mail.dsn(verp(JAN), JAN), verp(JAN), days=HOUR / 2)
    assert await site.effects(JAN) == [*[Effect.RECORDED] * 3, Effect.COUNTED]
    assert await site.counted(Kind.BOUNCE, overflow=True) == 1
    assert await site.counted(Kind.BOUNCE) == 4
    assert path.OVERFLOW._value.get() - before == 1
    assert ledger.changed() == {"received": 5, "kind bounce": 5, "disposition discard": 5}
    await site.deliver(forged(JAN), PLAIN, days=-1)  # a clock that was set back opens no new hour
    assert len(await site.events(JAN)) == 4
    seconds[0] += 3600
    await site.deliver(forged(JAN), PLAIN)
    assert len(await site.events(JAN)) == 5


async def test_flood_drowns_no_request(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many reports are forged, people are taken off; what is too much by itself goes to somebody who reads."""
    monkeypatch.setattr(site.pipeline, "_event_cap", HourlyCap(1))
    await site.deliver(forged(JAN), PLAIN)
    await site.deliver(forged(JAN), PLAIN)
    assert len(await site.events(JAN)) == 1
    assert await site.deliver(asks("ewa@klient.test", text=""), WATCHED) == DISCARD
    assert await site.suppressed("ewa@klient.test")
    assert await site.deliver(asks("ola@klient.test", text=""), WATCHED) == PASS
    assert not await site.suppressed("ola@klient.test")


def test_caps_of_a_pipeline(site: Site) -> None:
    """The caps are those that the README names."""
    caps = (site.pipeline._event_cap, site.pipeline._excerpt_cap, site.pipeline._opt_out_cap)
    assert [each._limit for each in caps] == [EVENTS_AN_HOUR, EXCERPTS_AN_HOUR, OPT_OUTS_AN_HOUR] == [1000, 100, 20]


async def test_flood_in_few_reports(site: Site) -> None:
    """The caps are on events: reports about a hundred recipients each don't get round them."""
    block = "\nFinal-Recipient: rfc822; p{}@klient.test\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no\n"
    for first in range(0, 1100, 100):
        blocks = "".join(block.format(number) for number in range(first, first + 99))
        report = forged(f"last{first}@klient.test")
        report = report.replace(b"\nFinal-Recipient:", blocks.encode() + b"\nFinal-Recipient:", 1)
        assert await site.deliver(report, PLAIN) == DISCARD
    assert await site.counted(Kind.BOUNCE) == EVENTS_AN_HOUR
    assert await site.counted(Kind.BOUNCE, overflow=True) == 100
    assert await site.events("p998@klient.test")
    assert not await site.events("p1000@klient.test")
    assert (await site.events("p98@klient.test"))[0].event.diagnostic
    assert not (await site.events("p100@klient.test"))[0].event.diagnostic


async def test_excerpts_are_capped(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond 100 an hour a stranger's words are not kept; those of reports about our mail are."""
    monkeypatch.setattr(site.pipeline, "_excerpt_cap", HourlyCap(1))
    for minute in range(2):
        await site.deliver(forged(JAN), PLAIN, days=minute / 24 / 60)
    await site.deliver(mail.dsn(verp(JAN), JAN), verp(JAN), days=1)
    assert [bool(each.event.diagnostic) for each in await site.events(JAN)] == [True, False, True]


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Somebody else holds the store's write lock."""
    with contextlib.closing(sqlite3.connect(folder / "store.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@pytest.mark.parametrize("front", [Front.SINK, Front.MILTER])
async def test_store_unavailable(site: Site, tmp_path: Path, front: Front) -> None:
    """While nothing can be written a bounce stays with the MTA; the retry is the first copy."""
    report = mail.dsn(verp(JAN), JAN)
    ledger = Ledger(front)
    with locked(tmp_path), capture_logs() as log:
        assert await site.deliver(report, verp(JAN), front=front) == TEMPFAIL
    assert [(each["event"], each["front"]) for each in log] == [("store_unavailable", front)]
    assert ledger.changed() == {"received": 1, "stage commit": 1, "disposition tempfail": 1}
    assert await site.deliver(report, verp(JAN), front=front) == DISCARD
    assert ledger.changed()["kind bounce"] == 1
    assert "duplicates" not in ledger.changed()


async def test_store_unavailable_on_error(site: Site, tmp_path: Path) -> None:
    """Where the settings say so, the milter delivers what can't be stored; the sink never does."""
    site.configure(on_error={Front.MILTER: Disposition.PASS})
    ledger = Ledger(Front.MILTER)
    with locked(tmp_path):
        assert await site.deliver(full(), verp(JAN), front=Front.MILTER) == PASS
        assert await site.deliver(full(), verp(JAN)) == TEMPFAIL
    assert ledger.changed() == {"received": 1, "stage commit": 1, "disposition pass": 1}


async def test_mail_passes_without_a_store(site: Site, tmp_path: Path) -> None:
    """A person's mail does not wait for our disk."""
    ledger = Ledger(Front.SINK)
    with locked(tmp_path):
        assert await site.deliver(mail.letter(verp(JAN), JAN), verp(JAN)) == PASS
    assert ledger.changed() == {"received": 1, "kind mail": 1, "disposition pass": 1}


class Broken:
    """A classifier with a fault."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def verdict(self, _: Report) -> Verdict:
        raise self._error


@pytest.mark.parametrize("error", [KeyError("jan@klient.test"), MemoryError(), RecursionError()], ids=repr)
async def test_internal_error(site: Site, error: Exception) -> None:
    """A fault of ours costs a retry: nothing is raised, the MTA keeps the message, the figure says so (F11)."""
    site.configure(Broken(error))
    ledger = Ledger(Front.SINK)
    with capture_logs() as log:
        assert await site.deliver(mail.dsn(verp(JAN), JAN), verp(JAN)) == TEMPFAIL
    assert [(each["event"], each["stage"]) for each in log] == [("internal_error", "read")]
    assert ledger.changed() == {"received": 1, "stage read": 1, "disposition tempfail": 1, "internal errors": 1}
    site.configure()
    assert await site.deliver(mail.dsn(verp(JAN), JAN), verp(JAN)) == DISCARD


async def test_large_message(site: Site) -> None:
    """A message of several hundred kilobytes takes the same path, off the event loop."""
    large = mail.dsn(verp(JAN), JAN) + b"x" * 70 + b"\n" + (b"y" * 76 + b"\n") * 4000
    assert await site.deliver(large, verp(JAN)) == DISCARD
    assert await site.effects(JAN) == [Effect.COUNTED]


async def test_unsettled(site: Site) -> None:
    """A flight that its front leaves without a word counts as tempfailed: the MTA was told nothing."""
    ledger = Ledger(Front.SINK)
    with site.flight(mail.dsn(verp(JAN), JAN), verp(JAN), PLAIN) as flight:
        await flight.process()
    assert ledger.changed() == {"received": 2, "kind bounce": 2, "disposition tempfail": 2}


async def test_never_processed(site: Site) -> None:
    """A flight that breaks off before it was read is a failure of the stage `aborted`."""
    ledger = Ledger(Front.SINK)
    with pytest.raises(ConnectionResetError), site.flight(full(), verp(JAN)):
        raise ConnectionResetError
    assert ledger.changed() == {"received": 1, "stage aborted": 1, "disposition tempfail": 1}


async def test_cancelled(site: Site, tmp_path: Path) -> None:
    """A flight that is cancelled while it waits for the store is in flight until then, and aborted after it."""
    ledger = Ledger(Front.SINK)
    entered = asyncio.Event()

    async def fly() -> None:
        with site.flight(full(), verp(JAN)) as flight:
            entered.set()
            flight.settle(await flight.process())

    with locked(tmp_path):
        task = asyncio.create_task(fly())
        await entered.wait()
        assert ledger.changed() == {"received": 1, "in flight": 1}
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ledger.changed() == {"received": 1, "stage aborted": 1, "disposition tempfail": 1}


async def test_pass_that_failed(site: Site) -> None:
    """What the front finally did counts, not what it was asked to do."""
    ledger = Ledger(Front.SINK)
    with site.flight(mail.letter(verp(JAN), JAN), verp(JAN)) as flight:
        assert await flight.process() == PASS
        flight.settle(TEMPFAIL)
    assert ledger.changed() == {"received": 1, "kind mail": 1, "disposition tempfail": 1}


async def test_several_recipients(site: Site) -> None:
    """One message to two return paths is judged for each of them, in one transaction."""
    ewa = "ewa@klient.test"
    ledger = Ledger(Front.SINK)
    report = mail.dsn(verp(JAN), JAN)
    assert await site.deliver(report, verp(JAN), verp(ewa)) == (*DISCARD, *DISCARD)
    assert [each.event.reported_address for each in await site.events(ewa)] == [JAN]
    assert await site.deliver(report, verp(ewa), verp("ola@klient.test")) == (*DISCARD, *DISCARD)
    assert ledger.changed() == {"received": 4, "kind bounce": 3, "duplicates": 1, "disposition discard": 4}


async def test_forwarder_is_never_followed(site: Site) -> None:
    """Reports about an address of another domain, at Jan's return path, touch Jan alone (F39)."""
    other = "jan@forwarder.test"
    for day in (0, 1, 2):
        await site.deliver(mail.dsn(verp(JAN), other), verp(JAN), days=day)
    assert await site.events(other) == []
    assert not await site.suppressed(other)
    events = [each.event for each in await site.events(JAN)]
    assert [(each.forwarded, each.reported_address) for each in events] == [(True, other)] * 3
    assert await site.effects(JAN) == [Effect.COUNTED, Effect.SUPPRESSED, Effect.COUNTED]


async def test_return_path_wins(site: Site) -> None:
    """Whom it is about is whom we wrote to, not whom the report names, also within one domain."""
    await site.deliver(mail.dsn(verp(JAN), "j.kowalski@klient.test"), verp(JAN))
    assert await site.events("j.kowalski@klient.test") == []
    (found,) = await site.events(JAN)
    assert not found.event.forwarded


async def test_reconfigured_in_between(site: Site) -> None:
    """New settings are for the messages that come after them."""
    await site.deliver(full(), verp(JAN))
    site.configure(rules=Site(site.store, Preset.HARD_ONLY).options.rules)
    for day in (5, 10, 15):
        await site.deliver(full(), verp(JAN), days=day)
    assert (await site.watched(JAN))[-1] == "4/4"
    assert not await site.suppressed(JAN)

"""Mails forwarded to review@: recorded as if they had come by themselves, believed for what is in them alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from structlog.testing import capture_logs

from bouncemilter import classify
from bouncemilter.model import Disposition, Effect, Envelope, Front, Source
from bouncemilter.pipeline import Options, review
from bouncemilter.pipeline.attribution import Attribution
from bouncemilter.pipeline.caps import EVENTS_AN_HOUR
from bouncemilter.policy import Preset, Rules
from bouncemilter.returnpath import Key, KeyRing, Recognizer, ReturnPath, SignedPath, Signer
from bouncemilter.store import Store, StoreUnavailable
from bouncemilter.trust import Evidence, Prover
from tests.outlook.writing import msg
from tests.pipeline.site import JAN, NOON, PLAIN, WATCHED, Ledger, Site, verp
from tests.rig import mail
from tests.rig.forward import REVIEW, file, forward, message

LATELY = b"Sat, 28 Feb 2026 09:00:00 +0100"
PATH = ReturnPath("bounces.own.test", "b", sender_domains=("own.test",))
KEYS = KeyRing([Key(1, NOON - dt.timedelta(days=90), bytes(range(32)))])
SIGNER = Signer(PATH, KEYS)
BALANCED = {"received", "disposition pass"}


def dsn(to: str = "kto@own.test", failed: str = JAN, date: bytes = LATELY, **rest: Any) -> bytes:
    """A report of the day before."""
    return mail.dsn(to, failed, **rest).replace(b"Mon, 05 Jan 2026 09:00:00 +0100", date)


async def send(site: Site, raw: bytes, **envelope: Any) -> str:
    """Bring a mail to review@ as the sink does; its label."""
    values: dict[str, Any] = {"sender": "szef@own.test", "source": Source.LOCAL, "received_at": NOON} | envelope
    with site.pipeline.review(Envelope(Front.SINK, recipients=(REVIEW,), **values), raw, len(raw)) as found:
        assert await found.process() is Disposition.PASS
        found.settle(Disposition.PASS)
    return found.label


@pytest.fixture
def signing(site: Site) -> Site:
    """The site, with a signed return path."""
    site.configure(
        attribution=Attribution(
            Prover(Recognizer([PATH], [WATCHED]), [SignedPath(PATH, KEYS)]),
            Evidence(frozenset({"own.test"}), frozenset({"mx.own.test"}), frozenset({"own.test"})),
        )
    )
    return site


async def test_own_headers(site: Site) -> None:
    """A forwarded bounce of our mail is `plausible`: two messages suppress; the label says what it was."""
    with capture_logs() as logs:
        assert await send(site, forward(message(dsn()))) == "review; attached=1; bounce hard/user_unknown"
    assert {"event": "review_read", "log_level": "info", "attached": 1, "unreadable": 0} in logs
    assert await site.watched(JAN) == ["1/2"]
    (event,) = await site.events(JAN)
    assert (event.event.trust, event.event.trust_reason) == ("plausible", "own_headers")
    assert event.event.at == dt.datetime(2026, 2, 28, 8, tzinfo=dt.UTC)
    await send(site, forward(message(dsn())))
    assert await site.suppressed(JAN)


async def test_stranger(site: Site) -> None:
    """A bounce of somebody else's mail is recorded, and proves nothing."""
    await send(site, forward(message(dsn().replace(b"own.test", b"far.test"))))
    (event,) = await site.events(JAN)
    assert (event.event.trust, event.decision.effect) == ("none", Effect.RECORDED)


@pytest.mark.parametrize("to", [verp(JAN), PLAIN, REVIEW])
async def test_envelope_proves_nothing(site: Site, to: str) -> None:
    """An unsigned VERP address in the attached mail is anybody's, and a Received header shows no server of ours."""
    head = b"Return-Path: <>\nReceived: by mx.own.test (Postfix) id 1; Sat, 28 Feb 2026 09:00:00 +0100\n"
    raw = head + dsn(to)
    await send(site, forward(message(raw.replace(b"@own.test", b"@far.test"))), sender="")
    (event,) = await site.events(JAN)
    assert (event.event.trust, event.event.envelope_recipient) == ("none", PLAIN)


async def test_token(signing: Site) -> None:
    """A signed return path in the attached mail is as good as in an envelope, and suppresses at once."""
    token = SIGNER.mint(JAN, day=NOON.date(), nonce=b"abc")
    await send(signing, forward(message(dsn(token))))
    assert [each.event.trust for each in await signing.events(JAN)] == ["token"]
    assert await signing.suppressed(JAN)


@pytest.mark.parametrize("forged", [True, False])
async def test_no_token(signing: Site, *, forged: bool) -> None:
    """Where return paths are signed, a forged one and none at all are nothing, as they are when sent directly."""
    token = SIGNER.mint(JAN, day=NOON.date(), nonce=b"abc")
    broken = token.replace("@", "x@") if forged else "kto@own.test"
    await send(signing, forward(message(dsn(broken))))
    assert {each.event.trust for each in await signing.store.events_of(JAN)} == {"none"}


async def test_expired_token(signing: Site) -> None:
    """The date that a mail claims makes no expired token valid."""
    token = SIGNER.mint(JAN, day=(NOON - dt.timedelta(days=40)).date(), nonce=b"abc")
    date = b"Mon, 02 Feb 2026 09:00:00 +0100"
    await send(signing, forward(message(dsn(token, date=date))))
    assert {each.event.trust for each in await signing.store.events_of(JAN)} == {"none"}


async def test_old_failure(site: Site) -> None:
    """What failed more than 32 days ago is recorded, never counted; a date in the future is now."""
    old = b"Mon, 05 Jan 2026 09:00:00 +0100"
    for number in range(2):
        await send(site, forward(message(dsn(date=old, original_id=f"<old.{number}@own.test>"))))
    assert await site.effects(JAN) == [Effect.RECORDED] * 2
    await send(site, forward(message(dsn(failed="ewa@klient.test", date=b"Mon, 05 Jan 2099 09:00:00 +0100"))))
    (event,) = await site.events("ewa@klient.test")
    assert event.event.at == NOON


async def test_came_before(site: Site) -> None:
    """A bounce that has come already counts once with its forwarded copy, however often and by whom that is sent."""
    report = dsn(verp(JAN))
    await site.deliver(report, verp(JAN))
    copy = msg({0x1A: "IPM.Note", 0x7D: report.partition(b"\n\n")[0].decode(), 0x1000: report.decode()})
    for raw in (message(report), message(report), file("zwrot.eml", report), file("zwrot.msg", copy)):
        await send(site, forward(raw))
    assert not await site.suppressed(JAN)
    assert set(await site.watched(JAN)) == {"1/2"}


async def test_what_people_wrote(site: Site) -> None:
    """A forwarded letter leaves a count, an auto-reply no failure; without an attachment nothing is read."""
    ledger = Ledger(Front.SINK)
    parts = [message(mail.letter("szef@own.test", JAN)), message(mail.out_of_office("szef@own.test", JAN))]
    assert await send(site, forward(*parts)) == "review; attached=2; mail, auto_reply"
    assert await site.effects(JAN) == [Effect.RECORDED]
    assert await send(site, mail.letter(REVIEW)) == "review; attached=0"
    report = dsn(REVIEW).replace(b"text/rfc822-headers", b"message/rfc822")
    assert await send(site, report) == "review; attached=0"
    assert ledger.changed() == {"received": 2, "kind mail": 1, "kind auto_reply": 1, "disposition pass": 2}


async def test_a_thousand(site: Site, store: Store) -> None:
    """Of a thousand attached mails twenty are read, and the label says so in one line."""
    ledger = Ledger(Front.SINK)
    label = await send(site, forward(*(message(dsn(failed=f"u{n}@klient.test")) for n in range(1000))))
    assert label == "review; attached=20 of more; 20 x bounce hard/user_unknown"
    assert ledger.changed() == {"received": 20, "kind bounce": 20, "disposition pass": 20}
    assert await store.events_of("u19@klient.test")
    assert not await store.events_of("u20@klient.test")


async def test_nested(site: Site) -> None:
    """Of mails in mails the outermost is read; fifty of them cost nothing more."""
    nested = dsn()
    for _ in range(50):
        nested = forward(message(nested))
    assert await send(site, forward(message(nested))) == "review; attached=1; mail"
    assert not await site.events(JAN)


async def test_caps(site: Site, store: Store) -> None:
    """What nothing proves is kept within the same caps as what comes directly."""
    for _ in range(EVENTS_AN_HOUR // 20 + 1):
        reports = (message(dsn().replace(b"own.test", b"far.test")) for _ in range(20))
        await send(site, forward(*reports))
    assert len(await store.events_of(JAN, 2000)) == EVENTS_AN_HOUR


async def test_unreadable(site: Site) -> None:
    """A broken attachment is counted as that, and the others are read."""
    label = await send(site, forward(file("a.msg", b"x"), message(dsn())))
    assert label == "review; attached=2; bounce hard/user_unknown, unreadable"


async def test_store_down(site: Site, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the commit the message is deferred, and the balances close; when it comes again all of it is recorded."""

    async def refuse(*_: Any) -> None:
        raise StoreUnavailable("disk full")

    ledger = Ledger(Front.SINK)
    raw = forward(message(dsn()), message(dsn(failed="ewa@klient.test")))
    envelope = Envelope(Front.SINK, "szef@own.test", (REVIEW,), NOON)
    with monkeypatch.context() as patched, site.pipeline.review(envelope, raw, len(raw)) as found:
        patched.setattr(store, "record", refuse)
        assert await found.process() is Disposition.TEMPFAIL
        found.settle(Disposition.TEMPFAIL)
    assert ledger.changed() == {"received": 2, "stage commit": 2, "disposition tempfail": 2}
    await send(site, raw)
    assert await site.watched(JAN) == await site.watched("ewa@klient.test") == ["1/2"]


async def test_fault_of_ours(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours in opening the message stops nobody's mail; one in judging an attached mail does three times."""

    class Broken:
        def verdict(self, _: Any) -> Any:
            raise RuntimeError

    raw = forward(message(dsn()))
    ledger = Ledger(Front.SINK)
    site.configure(Broken())
    envelope = Envelope(Front.SINK, "szef@own.test", (REVIEW,), NOON)
    done = []
    for _ in range(3):
        with site.pipeline.review(envelope, raw, len(raw)) as found:
            done.append(await found.process())
            found.settle(done[-1])
    assert done == [Disposition.TEMPFAIL, Disposition.TEMPFAIL, Disposition.PASS]
    assert found.label == "review; attached=1; unreadable"
    monkeypatch.setattr(review, "Message", lambda *_, **__: 1 / 0)
    assert await send(site, raw) == "review; attached=0"
    ledger.changed()


async def test_other_path_of_the_domain(store: Store) -> None:
    """An attached mail that names no address of ours is taken for one to the return path of review@'s own domain."""
    site = Site(store)
    paths = [ReturnPath("bounces.own.test", "b", sender_domains=("own.test",)), ReturnPath("bounces.other.test", "r")]
    attribution = Attribution(Prover(Recognizer(paths)), Evidence(frozenset({"own.test"})))
    site.pipeline.configure(classify.builtin(), Options(attribution, Rules(preset=Preset.STANDARD)))
    raw = forward(message(dsn()))
    envelope = Envelope(Front.SINK, "szef@own.test", ("review@bounces.other.test",), NOON)
    with site.pipeline.review(envelope, raw, len(raw)) as found:
        await found.process()
    (event,) = await site.events(JAN)
    assert event.event.envelope_recipient == "r@bounces.other.test"

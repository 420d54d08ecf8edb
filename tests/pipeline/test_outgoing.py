"""The path of outgoing mail, over a real store: who is refused, what the mail leaves with, what is kept of it."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from bouncemilter.model import Cause, Scope, Sentence, Withholding, address_hash
from bouncemilter.model.sent import NAME_LENGTH
from bouncemilter.pipeline import OutgoingMessage, OutgoingOptions, OutgoingPipeline, OutgoingUnavailable
from bouncemilter.pipeline.sentlog import SentLog
from bouncemilter.returnpath import Form, Key, KeyRing, ReturnPath, SignedPath, Signer, Verified, Verifier
from bouncemilter.statistics.campaigns import Campaigns
from bouncemilter.store import Follower, Store, SuppressionIndex, Suppressions
from bouncemilter.stream import Match, OnSuppressed, Origin, Stream, StreamKind

PATH = ReturnPath("bounces.own.test", "b", sender_domains=("own.test",))
KEYS = KeyRing([Key(1, dt.datetime(2026, 1, 1, tzinfo=dt.UTC), bytes(range(32)))])
NEWS = Stream("news", StreamKind.BULK, return_path=PATH, list_id="news.own.test")
INVOICES = Stream("invoices", StreamKind.TRANSACTIONAL, return_path=PATH)
PERSONAL = Stream("people", StreamKind.PERSONAL)
SHOP = Origin(client="192.0.2.7", sasl_login="shop", sender="news@own.test")
ANNA, EWA, OLA = "anna@klient.test", "ewa@klient.test", "ola@inny.test"
GLOBAL = Sentence(Scope.GLOBAL, "", Cause.HARD, expires_at=None)


class Rig:
    """A pipeline with its store, index and log of sent mail."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.index = SuppressionIndex()
        self.sent = SentLog(store)
        self.options = OutgoingOptions((NEWS, INVOICES, PERSONAL), {str(PATH): Signer(PATH, KEYS)})
        self.pipeline = OutgoingPipeline(store, Suppressions(store, self.index), self.sent, self.options)

    def observe(self) -> None:
        self.pipeline.configure(replace(self.options, observing=True))

    async def suppress(self, address: str, sentence: Sentence = GLOBAL) -> None:
        await self.store.suppress(address, sentence, by="test")
        await Follower(self.store, self.index).catch_up()

    async def send(self, *recipients: str, stream: Stream = NEWS, **fields: Any) -> Any:
        given = {"origin": SHOP, "headers": {"from": "News <news@own.test>"}} | fields
        return await self.pipeline.decide(OutgoingMessage(stream=stream, recipients=recipients, **given))

    async def withheld(self, address: str) -> list[tuple[str, int]]:
        await self.sent.flush()
        return [(each.action, each.n) for each in await self.store.sent.withheld_from(address)]


@pytest.fixture
async def rig(store: Store) -> Rig:
    found = Rig(store)
    await Follower(store, found.index).catch_up()
    return found


def proven(sender: str) -> Verified:
    """What an address that was minted just now proves."""
    found = Verifier([SignedPath(PATH, KEYS)]).verify(sender, at=dt.datetime.now(dt.UTC))
    assert isinstance(found, Verified)
    return found


async def test_one_recipient(rig: Rig) -> None:
    """A message to one recipient leaves with a token that names him; its day is known afterwards."""
    decision = await rig.send(ANNA.upper())
    assert proven(decision.sender).recipient == ANNA
    assert not decision.suppressed
    await rig.sent.flush()
    assert address_hash(ANNA) in await _days(rig.store)


async def test_several_recipients(rig: Rig) -> None:
    """A message to several leaves with a message token, whose recipients are on disk before it leaves."""
    decision = await rig.send(ANNA, OLA)
    token = proven(decision.sender)
    assert token.form is Form.MESSAGE
    assert await rig.store.sent.recipients(token.nonce) == {address_hash(ANNA), address_hash(OLA)}


@pytest.mark.parametrize(
    ("origin", "headers", "signed"),
    [
        ("news@own.test", {}, True),
        ("", {}, False),
        ("news+anna=klient.test@own.test", {}, False),
        ("prvs=0123abcdef=news@own.test", {}, False),
        ("SRS0=abcd=ef=example.com=jan@own.test", {}, False),
        ("news-bounces@own.test", {}, True),
        ("news-bounces@own.test", {"precedence": "list"}, False),
        ("owner-news@own.test", {"precedence": "List"}, False),
        ("news@own.test", {"precedence": "list"}, True),
    ],
)
async def test_who_keeps_his_sender(rig: Rig, origin: str, headers: dict[str, str], signed: bool) -> None:
    """Machines' own reports, wrapped senders and list managers keep their sender: they read their returns."""
    decision = await rig.send(ANNA, origin=Origin(sender=origin), headers=headers)
    assert bool(decision.sender) is signed


async def test_stream_without_keys(rig: Rig) -> None:
    """Without a return path, or without its keys, the sender stays, and the mail is counted all the same."""
    assert not (await rig.send(ANNA, stream=replace(NEWS, return_path=None))).sender
    other = ReturnPath("other.own.test", "b")
    assert not (await rig.send(ANNA, stream=replace(NEWS, return_path=other))).sender
    await rig.sent.flush()
    assert address_hash(ANNA) in await _days(rig.store)


async def test_refused_at_rcpt(rig: Rig) -> None:
    """A dead mailbox is refused at RCPT, and that is counted for `why`; other recipients are not."""
    await rig.suppress(EWA)
    refusal = await _in_thread(rig.pipeline.refusal, NEWS, SHOP, EWA)
    assert refusal is not None
    assert await _in_thread(rig.pipeline.refusal, NEWS, SHOP, ANNA) is None
    rig.pipeline.record_refusal(NEWS, EWA, refusal)
    await _turn()
    assert await rig.withheld(EWA) == [(Withholding.REFUSED, 1)]


@pytest.mark.parametrize(
    ("sentence", "headers", "news", "invoices"),
    [
        (GLOBAL, {}, True, True),
        (Sentence(Scope.LIST, "news.own.test", Cause.UNSUBSCRIBE, None), {}, True, False),
        (Sentence(Scope.LIST, "other.own.test", Cause.UNSUBSCRIBE, None), {}, False, False),
        (
            Sentence(Scope.LIST, "other.own.test", Cause.UNSUBSCRIBE, None),
            {"list-id": "Others <Other.own.test>"},
            True,
            False,
        ),
        (Sentence(Scope.SENDER, "own.test", Cause.COMPLAINT, None), {"from": "x@OWN.test"}, True, True),
        (Sentence(Scope.SENDER, "own.test", Cause.COMPLAINT, None), {"from": "x@else.test"}, False, False),
    ],
)
async def test_found_at_the_end(
    rig: Rig, sentence: Sentence, headers: dict[str, str], news: bool, invoices: bool
) -> None:
    """From and List-ID decide about narrow suppressions; a transactional stream passes opt-outs."""
    await rig.suppress(EWA, sentence)
    for stream, expected in ((NEWS, news), (INVOICES, invoices)):
        decision = await rig.send(EWA, stream=stream, headers={"from": "news@own.test"} | headers)
        assert (EWA in decision.suppressed) is expected
        assert bool(decision.sender) is not expected


@pytest.mark.parametrize(
    ("fields", "recipients", "action"),
    [
        ({}, (EWA,), Withholding.REFUSED),
        ({}, (EWA, ANNA), Withholding.DROPPED),
        ({"alone": False}, (EWA,), Withholding.DROPPED),
        ({"origin": Origin(local=True, sender="news@own.test")}, (EWA,), Withholding.DROPPED),
        ({"stream": replace(NEWS, on_suppressed=OnSuppressed.DROP)}, (EWA,), Withholding.DROPPED),
        ({"removable": False}, (EWA, ANNA), None),
    ],
)
async def test_what_is_kept(
    rig: Rig, fields: dict[str, Any], recipients: tuple[str, ...], action: Withholding | None
) -> None:
    """Refused is what the client is told; what is taken out silently is dropped; what goes all the same is neither."""
    await rig.suppress(EWA)
    await rig.send(*recipients, **fields)
    assert await rig.withheld(EWA) == ([(action, 1)] if action else [])


async def test_observe(rig: Rig) -> None:
    """In the preset `observe` nobody is refused, and each message is noted once."""
    await rig.suppress(EWA)
    rig.observe()
    assert await _in_thread(rig.pipeline.refusal, NEWS, SHOP, EWA) is None
    decision = await rig.send(EWA)
    assert not decision.suppressed
    assert proven(decision.sender).recipient == EWA
    await _turn()
    assert await rig.withheld(EWA) == [(Withholding.OBSERVED, 1)]
    assert await rig.pipeline.refusal_on_loop(NEWS, SHOP, EWA) is None
    await _turn()
    assert await rig.withheld(EWA) == [(Withholding.OBSERVED, 2)]


async def test_never_refused(rig: Rig) -> None:
    """postmaster@ and abuse@ get their mail, whatever came back from them."""
    for each in ("postmaster@klient.test", "Abuse@klient.test"):
        await rig.suppress(each.lower())
        assert await _in_thread(rig.pipeline.refusal, NEWS, SHOP, each) is None
        assert not (await rig.send(each)).suppressed


async def test_personal_streams_have_no_name(rig: Rig) -> None:
    """Neither by match nor by name is a personal stream anybody's business."""
    nobodys = Origin(sender="jan@inny.test")
    rig.pipeline.configure(
        replace(rig.options, streams=(replace(NEWS, match=Match(sender=("news@own.test",))), PERSONAL))
    )
    assert rig.pipeline.owner(nobodys, "people") is None
    assert rig.pipeline.owner(nobodys, "nothing") is None
    named = rig.pipeline.owner(nobodys, "news")
    assert named is not None
    assert named.name == "news"


async def test_store_down(rig: Rig) -> None:
    """What can't be recorded does not leave: a message token without its record would be worth nothing."""
    await rig.store.close()
    with pytest.raises(OutgoingUnavailable):
        await rig.send(ANNA, OLA)
    assert proven((await rig.send(ANNA)).sender).recipient == ANNA


@pytest.mark.parametrize(
    ("headers", "campaign"),
    [
        ({"x-campaign-id": "spring"}, "spring"),
        ({"feedback-id": "spring:shop:bulk:own"}, "spring"),
        ({"x-mailer-campaign": " spring ", "feedback-id": "other"}, "spring"),
        ({"x-campaign-id": "", "feedback-id": "spring"}, "spring"),
        ({}, ""),
    ],
)
async def test_campaign(rig: Rig, headers: dict[str, str], campaign: str) -> None:
    """The mailing is named by the first of the stream's headers that says anything."""
    assert OutgoingMessage(NEWS, SHOP, (ANNA,), headers=headers).campaign == campaign


@pytest.mark.parametrize("to", [(ANNA,), (ANNA, OLA)])
async def test_long_campaign(rig: Rig, to: tuple[str, ...]) -> None:
    """A return path is signed for the name that the mailing is counted under, however long the header is."""
    name = f"{'spring sale ' * 9}in Wrocław"
    decision = await rig.send(*to, headers={"from": "news@own.test", "x-campaign-id": name})
    await rig.sent.flush()
    names = await rig.store.figures.campaigns()
    assert Campaigns(names).name("", decision.sender) == Campaigns(names).name(name, "") == name[:NAME_LENGTH]


@pytest.mark.parametrize("value", ["", "(" * 1000, '"', "<@>", "a" * 1000, '"" <>', "\x00", "=?utf-8?q?x?="])
async def test_hostile_from(rig: Rig, value: str) -> None:
    """F27: whatever stands in From, the mail leaves."""
    assert (await rig.send(ANNA, headers={"from": value, "list-id": value})).sender


async def _days(store: Store) -> set[int]:
    """The addresses that the store knows to have been written to."""
    async with store._read() as connection:
        return {row[0] for row in await connection.execute(sa.text("SELECT address FROM mailed"))}


async def _in_thread(call: Any, *arguments: Any) -> Any:
    return await asyncio.to_thread(call, *arguments)


async def _turn() -> None:
    """Let the loop run what other threads have handed to it."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)

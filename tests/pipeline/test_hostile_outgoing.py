"""Outgoing mail that its sender, or the hour, makes hard to judge: the suppressed don't get it, the others do."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from bouncemilter.model import Cause, Scope, Sent, Sentence
from bouncemilter.pipeline import OutgoingMessage, OutgoingOptions, OutgoingPipeline, OutgoingUnavailable
from bouncemilter.pipeline.sentlog import NAMES, OTHER, SentLog
from bouncemilter.store import Follower, Store, StoreUnavailable, SuppressionIndex, Suppressions
from bouncemilter.store.sent import SentMail
from bouncemilter.stream import Origin, Stream, StreamKind

NEWS = Stream("news", StreamKind.BULK)
ORIGIN = Origin(sender="news@own.test")
EWA, ANNA = "ewa@klient.test", "anna@klient.test"
BY_HAND = Sentence(Scope.GLOBAL, "", Cause.MANUAL, expires_at=None)


@dataclass
class Exit:
    """A pipeline, and what it writes."""

    pipeline: OutgoingPipeline
    sent: SentLog
    store: Store
    index: SuppressionIndex

    async def leave(self, *recipients: str, headers: Mapping[str, str] | None = None) -> list[str]:
        """A message at its end; whom it does not go to."""
        decision = await self.pipeline.decide(OutgoingMessage(NEWS, ORIGIN, recipients, headers=headers or {}))
        return list(decision.suppressed)


@pytest.fixture
async def way_out(store: Store) -> Exit:
    """Ewa is suppressed by hand."""
    await store.suppress(EWA, BY_HAND, by="ola")
    index = SuppressionIndex()
    await Follower(store, index).catch_up()
    sent = SentLog(store)
    pipeline = OutgoingPipeline(store, Suppressions(store, index), sent, OutgoingOptions(streams=(NEWS,)))
    return Exit(pipeline, sent, store, index)


@pytest.mark.parametrize(
    "written",
    [
        "Ewa@KLIENT.test.",
        '"ewa"@klient.test',
        "@a.test:ewa@klient.test",
        "ewa(x)@klient.test",
        "ewa @klient.test",
        r"e\wa@klient.test",
    ],
)
async def test_whom_the_mail_server_delivers_to(way_out: Exit, written: str) -> None:
    """However a suppressed recipient is written, he is held back where the mail server would deliver to him."""
    assert await way_out.leave(written, ANNA) == [written]
    assert way_out.pipeline._key(written) == EWA


async def test_nothing_known(way_out: Exit, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the suppressions are not loaded and the store gives no answer the mail server keeps the message, unless
    we only observe.
    """

    async def down(_key: str) -> None:
        raise StoreUnavailable("the disk is gone")

    monkeypatch.setattr(way_out.store, "suppressed", down)
    assert await way_out.leave(ANNA) == []
    way_out.index.forget()
    with pytest.raises(OutgoingUnavailable):
        await way_out.leave(ANNA)
    way_out.pipeline.configure(OutgoingOptions(streams=(NEWS,), observing=True))
    assert await way_out.leave(ANNA) == []


async def test_stopped_while_writing(way_out: Exit, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is being written when the daemon stops is counted once."""
    monkeypatch.setattr("bouncemilter.pipeline.sentlog.FLUSH_SECONDS", 0)
    begun, record = asyncio.Event(), SentMail.record
    kept: list[Sent] = []

    async def keep(sent: SentMail, found: list[Sent]) -> None:
        begun.set()
        await record(sent, found)
        kept.extend(found)

    monkeypatch.setattr(SentMail, "record", keep)
    await way_out.leave(ANNA)
    running = asyncio.create_task(way_out.sent.run())
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await way_out.sent.flush()
    assert [each.address_key for each in kept] == [ANNA]


async def test_names_are_bounded(way_out: Exit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Software that gives each message a campaign, a list and a From domain of its own makes no row for each."""
    kept: list[Sent] = []

    async def keep(_: SentMail, found: list[Sent]) -> None:
        kept.extend(found)

    monkeypatch.setattr(SentMail, "record", keep)
    for number in range(NAMES + 5):
        headers = {"from": f"a@n{number}.test", "list-id": f"<{number}.list>", "x-campaign-id": f"campaign {number}"}
        await way_out.leave(ANNA, headers=headers)
    await way_out.sent.flush()
    for names in zip(*((each.sender_domain, each.list_id, each.campaign) for each in kept), strict=True):
        assert len(set(names)) == NAMES + 1
        assert names[-1] == OTHER
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    assert way_out.sent.name("campaign", "new", tomorrow) == "new"

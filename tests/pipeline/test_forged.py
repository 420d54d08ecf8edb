"""F38 and F39: what strangers write to a signed return path, in any number, suppresses nobody and fills no disk."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from bouncemilter.model import Disposition, Kind
from bouncemilter.pipeline.attribution import Attribution
from bouncemilter.pipeline.caps import EVENTS_AN_HOUR
from bouncemilter.returnpath import Key, KeyRing, Recognizer, ReturnPath, SignedPath, Signer
from bouncemilter.store import Store
from bouncemilter.trust import Evidence, Prover
from tests.pipeline.site import NOON, Site
from tests.rig import mail

PATH = ReturnPath("bounces.own.test", "b", sender_domains=("own.test",))
KEYS = KeyRing([Key(1, NOON - dt.timedelta(days=5), bytes(range(32)))])
VICTIM = "victim@klient.test"
EWA = "ewa@klient.test"
FORGED = 10_000


@pytest.fixture
def signing(site: Site) -> Site:
    """The site, with a signed return path."""
    site.configure(
        attribution=Attribution(
            Prover(Recognizer([PATH]), [SignedPath(PATH, KEYS)]),
            Evidence(frozenset({"own.test"}), frozenset({"mx.own.test"}), frozenset({"own.test"})),
        )
    )
    return site


async def test_ten_thousand_forged_reports(signing: Site, store: Store, tmp_path: Path) -> None:
    """F38: ten thousand forged reports that name a victim suppress nobody, and the store keeps a thousand of them."""
    to = (
        "b@bounces.own.test",
        "b+victim=klient.test@bounces.own.test",
        f"b+victim=klient.test={'a' * 26}@bounces.own.test",
    )
    for first in range(0, FORGED, 500):
        reports = [
            signing.deliver(mail.dsn(to[number % 3], VICTIM), to[number % 3], days=number / FORGED / 48)
            for number in range(first, first + 500)
        ]
        assert set(await asyncio.gather(*reports)) == {(Disposition.DISCARD,)}
    assert not await signing.suppressed(VICTIM)
    assert len(await store.events_of(VICTIM, FORGED)) == EVENTS_AN_HOUR
    assert await signing.counted(Kind.BOUNCE, overflow=True) == FORGED - EVENTS_AN_HOUR
    assert sum(each.stat().st_size for each in tmp_path.rglob("*.db*")) < 8_000_000  # noqa: ASYNC240


async def test_replay_counts_once(signing: Site) -> None:
    """F39: whoever replays a genuine report, altered or not, adds nothing to it; a new message of ours does."""
    full = mail.FULL
    day = NOON.date()
    token = Signer(PATH, KEYS).mint(EWA, day=day)
    for number in range(6):
        report = mail.dsn(token, EWA, full, original_id=f"<other.{number}@own.test>")
        await signing.deliver(report, token, days=number)
    assert set(await signing.watched(EWA)) == {"1/4"}
    other = Signer(PATH, KEYS).mint(EWA, day=day)
    await signing.deliver(mail.dsn(other, EWA, full), other, days=6)
    assert (await signing.watched(EWA))[-1] == "2/4"


async def test_token_of_one_touches_no_other(signing: Site) -> None:
    """F39: Ewa's token with a failure of the victim, again and again: at most Ewa is counted, and as a forwarder."""
    for number in range(3):
        token = Signer(PATH, KEYS).mint(EWA, day=NOON.date(), nonce=bytes([0, 0, number]))
        await signing.deliver(mail.dsn(token, "victim@far.example"), token, days=number)
    assert not await signing.suppressed("victim@far.example")
    assert await signing.events("victim@far.example") == []
    assert (await signing.watched(EWA))[0] == "1/2"
    assert await signing.suppressed(EWA)

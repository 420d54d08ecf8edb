"""Forgetting an address: nothing that names it stays, and what suppresses it goes on."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from pathlib import Path

import pytest

from bouncemilter.model import Cause, Scope, Sent, Sentence, Withheld, Withholding
from bouncemilter.store import Entry, Follower, Retention, Row, Store, SuppressionIndex, Suppressions, is_pseudonym
from bouncemilter.store.pseudonym import pseudonym

ANNA, OLA = "anna@example.net", "ola@example.net"
HARD = Sentence(Scope.GLOBAL, "", Cause.HARD, None)
LISTED = Sentence(Scope.LIST, "l.example.pl", Cause.UNSUBSCRIBE, None)


def text_of(path: Path) -> str:
    """All that a store's file holds, free pages too."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.read_bytes().decode("latin-1").lower()


async def fill(store: Store, make) -> None:
    """Anna is suppressed, was withheld from and written to; Ola's evidence names her."""
    await store.record([make.entry("e1", make.suppressed()), make.entry("e2")])
    said = (
        "550 <anna@example.net>: unknown; not joanna@example.net, anna@example.net.pl; b+anna=example.net@bounces.test"
    )
    await store.record([make.entry("e3", make.suppressed(), OLA, diagnostic=said, reported_address="ANNA@example.net")])
    await store.suppress(ANNA, LISTED, by="op", note="Anna called: anna@example.net", written="Anna@Example.NET")
    await store.sent.record_withheld([Withheld(make.noon.date(), ANNA, "s", Withholding.REFUSED, "hard")])
    await store.sent.record([Sent(ANNA, make.noon, "s", "", "", "example.pl", "example.net")])
    await store.sent.record_message("n1", [ANNA, OLA])
    await store.sent.record_message("n2", [ANNA])


async def test_nothing_stays(url, tmp_path, make):
    """No octet of the file names a forgotten address; what others are on record for stays."""
    async with await Store.open(url) as store:
        await fill(store, make)
        (looked,) = await store.erasure.look([ANNA])
        (done,) = await store.erasure.forget([ANNA], by="op")
        assert done == looked
        assert (done.events, done.suppressions, done.withheld, done.mailed, done.messages) == (2, 2, 1, True, 2)
        assert [each.cause for each in done.blocks] == [Cause.HARD, Cause.UNSUBSCRIBE]
        assert await store.events_of(ANNA) == ()
        assert await store.sent.withheld_from(ANNA) == ()
        assert len(await store.sent.recipients("n1")) == 1
        assert await store.sent.recipients("n2") == frozenset()
        (other,) = await store.events_of(OLA)
        said = "[forgotten]>: unknown; not joanna@example.net, anna@example.net.pl; b+[forgotten]@bounces.test"
        assert other.event.diagnostic == f"550 <{said}"
        assert other.event.reported_address == "[forgotten]"
        assert not (await store.erasure.look([ANNA]))[0].known
    whole = text_of(Path(url.removeprefix("sqlite+aiosqlite:///")))
    assert whole.count("anna@example.net") == whole.count("joanna@example.net") + whole.count("anna@example.net.pl")
    assert "skrzynka" in whole  # Ola's, by the template


async def test_the_block_stays(store, make):
    """A forgotten address is suppressed as before, and only those who know it find that out."""
    await fill(store, make)
    await store.erasure.forget([ANNA], by="op")
    found = await store.suppressed(ANNA)
    assert [(each.address_key, each.address, each.cause, each.note, each.event_id) for each in found] == [
        (ANNA, "", Cause.HARD, "", ""),
        (ANNA, "", Cause.UNSUBSCRIBE, "", ""),
    ]
    assert found[0].rule_version == "0.1.0+1a2b3c4d"
    assert [each.address_key async for each in store.listing.matching()] == [OLA]
    assert await store.erasure.blocks() == 2
    told = await store.cursors.changes(0, 100)
    assert [each.change.suppression.address_key for each in told] == [OLA]
    lifted = await store.lift(ANNA, by="op", cause=Cause.HARD)
    assert [each.cause for each in lifted] == [Cause.HARD]
    assert [each.cause for each in await store.suppressed(ANNA)] == [Cause.UNSUBSCRIBE]


async def test_what_is_over_stands_for_nobody(store, make):
    """Suppressions that were lifted, have expired or are pending are not found again."""
    await store.suppress(ANNA, HARD, by="op")
    await store.lift(ANNA, by="op")
    await store.suppress(ANNA, Sentence(Scope.SENDER, "a.pl", Cause.SOFT, make.noon), by="op")
    (done,) = await store.erasure.forget([ANNA], by="op")
    assert (done.suppressions, done.blocks) == (2, ())
    assert await store.listing.of(ANNA) == ()
    assert await store.suppressed(ANNA) == ()


@pytest.mark.parametrize(("first", "second", "kept"), [(1, None, None), (None, 1, None), (1, 2, 2), (2, 1, 2)])
async def test_forgotten_twice(store, make, first, second, kept):
    """Of two suppressions of the same kind the one stays that holds longer."""
    start = dt.datetime.now(dt.UTC)
    for days in (first, second):
        until = start + dt.timedelta(days=days) if days else None
        await store.suppress(ANNA, Sentence(Scope.GLOBAL, "", Cause.SOFT, until), by="op")
        await store.erasure.forget([ANNA], by="op")
    (found,) = await store.suppressed(ANNA)
    assert found.expires_at == (start + dt.timedelta(days=kept) if kept else None)


async def test_recorded_anew(store, make):
    """What comes in after an address was forgotten is recorded and judged as for any other."""
    await fill(store, make)
    await store.erasure.forget([ANNA], by="op")
    await store.record([Entry(make.event("e9"), make.suppressed())])
    assert [each.event.id for each in await store.events_of(ANNA)] == ["e9"]
    assert [each.event_id for each in await store.suppressed(ANNA)] == ["", "", "e9"]


async def test_look_up(store, make):
    """A follower finds a forgotten address at RCPT: at once, after a new start, and while the store is away."""
    index = SuppressionIndex()
    follower, lookup = Follower(store, index), Suppressions(store, index, timeout=1)
    await store.suppress(ANNA, HARD, by="op")
    await follower.catch_up()
    assert not index.has_pseudonyms
    await store.erasure.forget([ANNA], by="op")
    await follower.catch_up()
    fresh = SuppressionIndex()
    await Follower(store, fresh).catch_up()
    again = Suppressions(store, fresh, timeout=1)
    for each in (lookup, again):
        assert (await each.standing_on_loop(ANNA)).suppressions[0].cause is Cause.HARD
        assert not (await each.standing_on_loop(OLA)).suppressions
    await store.lift(ANNA, by="op")
    for each, known in ((lookup, index), (again, fresh)):
        assert not (await each.standing_on_loop(ANNA)).suppressions
        assert not known.contains(store.pseudonym(ANNA))
    await store.suppress(ANNA, HARD, by="op")
    await store.erasure.forget([ANNA], by="op")
    await Follower(store, fresh).catch_up()
    await store.close()
    assert (await again.standing_on_loop(ANNA)).unconfirmed
    assert not (await again.standing_on_loop(OLA)).unconfirmed


async def test_purge_leaves_blocks(store, make):
    """What was forgotten is kept as long as any suppression."""
    await fill(store, make)
    await store.erasure.forget([ANNA], by="op")
    await store.purge(make.noon + dt.timedelta(days=4000), Retention())
    assert len(await store.suppressed(ANNA)) == 2


async def test_imported_again(store, make):
    """An import does not bring a forgotten address back where it is suppressed in the same way."""
    await store.suppress(ANNA, HARD, by="op")
    await store.erasure.forget([ANNA], by="op")
    rows = [Row(1, ANNA, ANNA, Cause.HARD, None), Row(2, OLA, OLA, Cause.HARD, None)]
    batch = await store.imports.begin(by="op", file_name="x", format_="csv", skipped=0, rejected=0)
    (progress,) = [each async for each in store.imports.add(batch, "op", rows)]
    assert (progress.added, progress.known) == (1, 1)
    assert [each.address_key async for each in store.listing.matching()] == [OLA]


async def test_keys_differ_by_store(url, tmp_path):
    """Two stores hash the same address differently; one store always the same."""
    other = f"sqlite+aiosqlite:///{tmp_path / 'other.db'}"
    async with await Store.open(url) as one, await Store.open(other) as two:
        first = one.pseudonym(ANNA)
        assert first != two.pseudonym(ANNA)
    async with await Store.open(url) as one:
        assert one.pseudonym(ANNA) == first
    assert is_pseudonym(first)
    assert not is_pseudonym("forgotten:x@example.pl")
    assert pseudonym(b"k" * 32, ANNA) != pseudonym(b"k" * 32, OLA)


async def test_an_address_that_looks_like_a_pseudonym(store):
    """`forgotten:x@example.pl` is an address as any other: it is listed."""
    await store.suppress('"forgotten:x"@example.pl', HARD, by="op")
    await store.suppress("forgotten-x@example.pl", HARD, by="op")
    assert len([each async for each in store.listing.matching()]) == 2


async def test_old_addresses(store, make, monkeypatch):
    """With an age for addresses, suppressions older than it stand under pseudonyms; newer and pending ones stay."""
    monkeypatch.setattr("bouncemilter.store.erasure.PIECE", 2)
    for number in range(5):
        await store.suppress(f"old{number}@example.net", HARD, by="op")
    later = make.noon + dt.timedelta(days=500)
    await store.purge(later)
    assert len([each async for each in store.listing.matching()]) == 5
    assert await store.erasure.forget_older(make.noon) == 0
    await store.purge(later, Retention(addresses=dt.timedelta(days=450)))
    assert [each async for each in store.listing.matching()] == []
    assert await store.erasure.blocks() == 5
    (found,) = await store.suppressed("old3@example.net")
    assert (found.address, found.cause, found.created_at) == ("", Cause.HARD, make.noon)
    await store.purge(later, Retention(addresses=dt.timedelta(days=450)))
    assert await store.erasure.blocks() == 5


async def test_named_by_others(url, make):
    """Several are taken out of one row at once, and of an import's file name; each is told how many rows named it."""
    async with await Store.open(url) as store:
        said = f"{ANNA} and {OLA} moved; ask anna%40example.net"
        await store.record([make.entry("e1", address="ewa@example.net", diagnostic=said, reported_address="")])
        await store.imports.begin(by="op", file_name=f"{ANNA}.csv", format_="csv", skipped=0, rejected=0)
        looked = await store.erasure.look([ANNA, OLA])
        assert [each.mentions for each in looked] == [2, 1]
        assert await store.erasure.forget([ANNA, OLA], by="op") == looked
        (other,) = await store.events_of("ewa@example.net")
        assert other.event.diagnostic == "[forgotten] and [forgotten] moved; ask [forgotten]"
        (batch,) = await store.imports.batches()
        assert batch.file_name == "[forgotten].csv"
    assert ANNA not in text_of(Path(url.removeprefix("sqlite+aiosqlite:///")))


async def test_the_log_is_emptied(url, make):
    """What a purge has deleted is not left in the write-ahead log either; who reads meanwhile is waited for in vain."""
    path = Path(url.removeprefix("sqlite+aiosqlite:///"))
    log = path.with_name(f"{path.name}-wal")
    async with await Store.open(url) as store:
        await fill(store, make)
        assert b"skrzynka" in log.read_bytes()
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM events").fetchone()
            await store.suppress(OLA, LISTED, by="op")
            assert not await store.shed()
        await store.purge(make.noon + dt.timedelta(days=4000))
        assert b"skrzynka" not in log.read_bytes()
        assert await store.shed()

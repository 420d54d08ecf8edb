"""The look-up at RCPT: an index that follows the store, whoever changes it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from bouncemilter.model import Cause, Scope, Sentence, Standing
from bouncemilter.store import Follower, Store, StoreUnavailable, SuppressionIndex, Suppressions
from bouncemilter.store.schema import suppression_changes

DAY = dt.timedelta(days=1)
BY_HAND = Sentence(Scope.GLOBAL, "", Cause.MANUAL, None)
OF_A_LIST = Sentence(Scope.LIST, "l.example.pl", Cause.UNSUBSCRIBE, None)


@pytest.fixture
def index() -> SuppressionIndex:
    return SuppressionIndex()


@pytest.fixture
def follower(store, index) -> Follower:
    return Follower(store, index)


@pytest.fixture
async def lookup(store, index) -> Suppressions:
    return Suppressions(store, index, timeout=1)


@dataclass(frozen=True)
class Forgetting:
    """The change log up to `last`, deleted."""

    last: int

    async def apply(self, connection, _now):
        await connection.execute(sa.delete(suppression_changes).where(suppression_changes.c.seq <= self.last))


class Watched(SuppressionIndex):
    """An index that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = asyncio.Event()

    def add(self, address_key: str, *, everywhere: bool) -> None:
        super().add(address_key, everywhere=everywhere)
        self.changed.set()

    def remove(self, address_key: str) -> None:
        super().remove(address_key)
        self.changed.set()


def counted(result: str) -> float:
    return REGISTRY.get_sample_value("bouncemilter_suppression_lookups_total", {"result": result})


def gauge(name: str) -> float:
    return REGISTRY.get_sample_value(f"bouncemilter_suppression_index_{name}")


def loads() -> float:
    return gauge("loads_total")


@contextlib.contextmanager
def store_down(store, monkeypatch):
    """Every read fails."""

    @contextlib.asynccontextmanager
    async def fail():
        raise StoreUnavailable("disk I/O error")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(store, "_read", fail)
        yield


async def test_first_load(store, index, follower, monkeypatch):
    """All suppressions are read at first, page by page: each address once, those that were lifted left out."""
    monkeypatch.setattr("bouncemilter.store.store.PAGE", 2)
    for name in "bdace":
        await store.suppress(f"{name}@example.pl", BY_HAND, by="ewa")
        await store.suppress(f"{name}@example.pl", OF_A_LIST, by="ewa")
    await store.suppress("f@example.pl", OF_A_LIST, by="ewa")
    await store.lift("c@example.pl", by="ewa")
    await follower.catch_up()
    found = {name: (index.contains(key), index.everywhere(key)) for name in "abcdef" for key in [f"{name}@example.pl"]}
    both, narrow, none = (True, True), (True, False), (False, False)
    assert found == {"a": both, "b": both, "c": none, "d": both, "e": both, "f": narrow}
    assert (len(index), index.seq, gauge("entries"), gauge("seq")) == (5, 13, 5, 13)
    assert 0 <= gauge("age_seconds") < 60


async def test_changes(store, index, follower, make, monkeypatch):
    """Additions by hand and by policy, and removals, are seen at the next look, without reading everything again."""
    monkeypatch.setattr("bouncemilter.store.store.PAGE", 2)
    await follower.catch_up()
    before = loads()
    await store.suppress("a@example.pl", OF_A_LIST, by="ewa")
    await store.suppress("b@example.pl", BY_HAND, by="ewa")
    await store.record([make.entry("e1", make.suppressed(), "c@example.pl")])
    await follower.catch_up()
    assert [index.contains(f"{name}@example.pl") for name in "abcd"] == [True, True, True, False]
    await store.suppress("a@example.pl", BY_HAND, by="ewa")
    await store.lift("b@example.pl", by="ewa")
    await follower.catch_up()
    assert [index.everywhere(f"{name}@example.pl") for name in "abcd"] == [True, False, True, False]
    assert not index.contains("b@example.pl")
    await store.lift("a@example.pl", by="ewa", cause=Cause.MANUAL)
    await follower.catch_up()
    assert index.contains("a@example.pl")
    assert not index.everywhere("a@example.pl")
    assert loads() == before


async def test_read_twice(store, index, follower):
    """Changes that are read again change nothing: each look takes an address as it stands then."""
    await follower.catch_up()
    for _ in range(2):
        await store.suppress("a@example.pl", BY_HAND, by="ewa")
        await store.lift("a@example.pl", by="ewa")
    await store.suppress("a@example.pl", OF_A_LIST, by="ewa")
    for seq in (0, 1, 2, 3):
        index.seq = seq
        await follower.catch_up()
        assert (index.contains("a@example.pl"), index.everywhere("a@example.pl"), index.seq) == (True, False, 5)
    assert len(index) == 1


async def test_changes_during_the_load(store, index, follower, monkeypatch):
    """What is suppressed and lifted while everything is read is seen at the next look."""
    for name in "abcd":
        await store.suppress(f"{name}@example.pl", BY_HAND, by="ewa")
    whole = store.suppressed_keys

    async def meanwhile() -> AsyncIterator[Sequence[tuple[str, int]]]:
        async for page in whole():
            await store.lift("b@example.pl", by="ewa")
            await store.suppress("e@example.pl", BY_HAND, by="ewa")
            yield page

    monkeypatch.setattr(store, "suppressed_keys", meanwhile)
    await follower.catch_up()
    await follower.catch_up()
    assert [index.contains(f"{name}@example.pl") for name in "abcde"] == [True, False, True, True, True]


@pytest.mark.parametrize("kept", [0, 2])
async def test_changes_deleted_unread(store, index, follower, kept):
    """Where changes were deleted before they were read, or all of them, everything is read anew, and once only."""
    await store.suppress("a@example.pl", BY_HAND, by="ewa")
    await follower.catch_up()
    await store.lift("a@example.pl", by="ewa")
    for name in "bcd":
        await store.suppress(f"{name}@example.pl", BY_HAND, by="ewa")
    await store._writer.write(Forgetting(5 - kept))
    before = loads()
    for _ in range(3):
        await follower.catch_up()
    assert [index.contains(f"{name}@example.pl") for name in "abcd"] == [False, True, True, True]
    assert loads() == before + 1


async def test_changes_deleted_while_they_are_read(store, index, follower, monkeypatch):
    """Where changes are announced and then gone, the look ends, and the next one reads everything anew."""
    await store.suppress("a@example.pl", BY_HAND, by="ewa")
    await follower.catch_up()
    await store.suppress("b@example.pl", BY_HAND, by="ewa")
    page = store.changed_keys

    async def too_late(since: int):
        await store._writer.write(Forgetting(2))
        return await page(since)

    monkeypatch.setattr(store, "changed_keys", too_late)
    async with asyncio.timeout(30):
        await follower.catch_up()
    await follower.catch_up()
    assert index.contains("b@example.pl")


async def test_older_store(store, index, follower):
    """Where the newest change is older than the index's, the store was put back: everything is read anew."""
    await store.suppress("a@example.pl", BY_HAND, by="ewa")
    await follower.catch_up()
    index.seq = 50
    index.add("b@example.pl", everywhere=True)
    await follower.catch_up()
    assert (index.seq, index.contains("a@example.pl"), index.contains("b@example.pl")) == (1, True, False)


async def test_loading_anew(store, index, follower, lookup, monkeypatch):
    """While everything is read anew the store is asked; if it goes down then, loading begins once more."""
    await store.suppress("a@example.pl", BY_HAND, by="ewa")
    await follower.catch_up()
    index.seq = 50
    with store_down(store, monkeypatch), pytest.raises(StoreUnavailable):
        await follower.catch_up()
    assert index.everywhere("a@example.pl")
    whole = store.suppressed_keys

    async def breaking() -> AsyncIterator[Sequence[tuple[str, int]]]:
        async for page in whole():
            yield page
            assert (await lookup.standing_on_loop("a@example.pl")).suppressions
            raise StoreUnavailable("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(store, "suppressed_keys", breaking)
        with pytest.raises(StoreUnavailable):
            await follower.catch_up()
    assert not index.loaded
    await follower.catch_up()
    assert (index.loaded, index.everywhere("a@example.pl"), index.seq) == (True, True, 1)


async def test_standing(store, index, follower, lookup):
    """A suppressed address is confirmed with its suppressions; any other is answered without the store."""
    await store.suppress("a@example.pl", BY_HAND, by="ewa")
    await store.suppress("a@example.pl", OF_A_LIST, by="ewa")
    await follower.catch_up()
    misses, hits = counted("miss"), counted("hit")
    found = await asyncio.to_thread(lookup.standing, "a@example.pl")
    assert [each.cause for each in found.suppressions] == [Cause.MANUAL, Cause.UNSUBSCRIBE]
    assert not found.unconfirmed
    assert found == await lookup.standing_on_loop("a@example.pl")
    store.suppressed = None  # whoever asks the store now falls over it
    assert await asyncio.to_thread(lookup.standing, "b@example.pl") == Standing()
    assert await lookup.standing_on_loop("b@example.pl") == Standing()
    assert (counted("miss") - misses, counted("hit") - hits) == (2, 2)


async def test_standing_before_the_load(store, index, lookup, monkeypatch):
    """Until the index is loaded each question goes to the store; without a store nothing is known of anybody."""
    await store.suppress("a@example.pl", BY_HAND, by="ewa")
    misses = counted("miss")
    assert len((await asyncio.to_thread(lookup.standing, "a@example.pl")).suppressions) == 1
    assert await asyncio.to_thread(lookup.standing, "b@example.pl") == Standing()
    assert counted("miss") == misses + 1
    with store_down(store, monkeypatch):
        assert await asyncio.to_thread(lookup.standing, "a@example.pl") == Standing(unknown=True)


async def test_expiry(store, index, follower, lookup, make, clock):
    """One that has expired is not held against its address; the index forgets it at the first hit, and learns anew."""
    for_a_day = Sentence(Scope.GLOBAL, "", Cause.SOFT, make.noon + DAY)
    await store.suppress("a@example.pl", for_a_day, by="policy")
    await follower.catch_up()
    assert (await asyncio.to_thread(lookup.standing, "a@example.pl")).suppressions
    clock.now = make.noon + DAY
    before = counted("false_hit")
    assert await asyncio.to_thread(lookup.standing, "a@example.pl") == Standing()
    assert (counted("false_hit") - before, index.contains("a@example.pl")) == (1, False)
    await store.suppress("a@example.pl", BY_HAND, by="ewa")
    await follower.catch_up()
    assert (await asyncio.to_thread(lookup.standing, "a@example.pl")).suppressions


async def test_suppressed_while_it_is_forgotten(store, index, make, clock, monkeypatch):
    """An expired one that is suppressed anew, just as the store says that it is free, stays in the index."""
    follower, lookup = Follower(store, index), Suppressions(store, index)
    await store.suppress("a@example.pl", Sentence(Scope.GLOBAL, "", Cause.SOFT, make.noon + DAY), by="policy")
    await follower.catch_up()
    clock.now = make.noon + DAY
    ask = store.suppressed

    async def slowly(key: str):
        found = await ask(key)
        await store.suppress("a@example.pl", BY_HAND, by="ewa")
        await follower.catch_up()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(store, "suppressed", slowly)
        assert await lookup.standing_on_loop("a@example.pl") == Standing()
    assert len((await lookup.standing_on_loop("a@example.pl")).suppressions) == 1


async def test_outage(store, index, follower, lookup, monkeypatch):
    """While the store is down, what is suppressed for all mail is said to be; afterwards the index catches up."""
    await store.suppress("a@example.pl", BY_HAND, by="ewa")
    await store.suppress("b@example.pl", OF_A_LIST, by="ewa")
    await follower.catch_up()
    before = counted("unconfirmed")
    with store_down(store, monkeypatch):
        with pytest.raises(StoreUnavailable):
            await follower.catch_up()
        found = [await asyncio.to_thread(lookup.standing, f"{name}@example.pl") for name in "abc"]
        assert found == [Standing(unconfirmed=True), Standing(), Standing()]
        assert counted("unconfirmed") - before == 2
        await store.lift("a@example.pl", by="ewa")
    await follower.catch_up()
    assert [await asyncio.to_thread(lookup.standing, f"{name}@example.pl") for name in "ac"] == [Standing()] * 2


async def test_store_that_hangs(store, index, follower, monkeypatch):
    """A store that does not answer in time is as one that is down, for callers on any thread."""
    await store.suppress("a@example.pl", BY_HAND, by="ewa")
    await follower.catch_up()
    lookup = Suppressions(store, index, timeout=0.01)
    monkeypatch.setattr(store, "suppressed", lambda _: asyncio.Event().wait())
    assert await asyncio.to_thread(lookup.standing, "a@example.pl") == Standing(unconfirmed=True)
    assert await lookup.standing_on_loop("a@example.pl") == Standing(unconfirmed=True)


async def test_loop_that_hangs(store, index, follower):
    """An event loop that does not turn holds up nobody's RCPT for good."""
    await store.suppress("a@example.pl", BY_HAND, by="ewa")
    await follower.catch_up()
    lookup = Suppressions(store, index, timeout=0.01)
    found = []
    asking = threading.Thread(target=lambda: found.append(lookup.standing("a@example.pl")))
    asking.start()
    asking.join(30)
    assert found == [Standing(unconfirmed=True)]


async def test_after_the_loop(url):
    """A thread that still asks when the loop is gone gets the index's word."""
    index = SuppressionIndex()

    async def life() -> Suppressions:
        async with await Store.open(url) as store:
            await store.suppress("a@example.pl", BY_HAND, by="ewa")
            await Follower(store, index).catch_up()
            return Suppressions(store, index)

    lookup = await asyncio.to_thread(asyncio.run, life())
    assert lookup.standing("a@example.pl") == Standing(unconfirmed=True)


async def test_another_process(tmp_path: Path):
    """What the command `suppression` adds and removes in a process of its own is seen by a follower that runs."""
    state, config = tmp_path / "state", tmp_path / "bouncemilter.toml"
    state.mkdir()
    config.write_text(f'state_directory = "{state}"\n[[return_path]]\ndomain = "b.own.test"\nprefix = "b"\n')

    index = Watched()

    async def command(verb: str) -> None:
        arguments = ("-m", "bouncemilter", "suppression", verb, "jan@example.pl", "--config", str(config))
        process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
        assert await process.wait() == 0
        async with asyncio.timeout(30):
            await index.changed.wait()
        index.changed.clear()

    async with await Store.open(f"sqlite+aiosqlite:///{state / 'bouncemilter.db'}") as store:
        await Follower(store, index).catch_up()
        following = asyncio.create_task(Follower(store, index).run())
        await command("add")
        assert index.contains("jan@example.pl")
        await command("remove")
        assert not index.contains("jan@example.pl")
        following.cancel()


async def test_run_goes_on(store, index, monkeypatch):
    """An outage, and an error that nobody foresaw, do not end the following; the log tells of both ends once."""
    events, recovered = [], asyncio.Event()

    class Log:
        @staticmethod
        def warning(event: str, **_: object) -> None:
            events.append(event)

        @staticmethod
        def info(event: str, **_: object) -> None:
            events.append(event)
            if event == "suppression_index_recovered":
                recovered.set()

    outcomes = iter([StoreUnavailable("locked"), StoreUnavailable("locked"), ValueError("odd")])
    span = store.change_span

    async def failing():
        for outcome in outcomes:
            raise outcome
        return await span()

    monkeypatch.setattr("bouncemilter.store.follower._log", Log)
    monkeypatch.setattr(store, "change_span", failing)
    following = asyncio.create_task(Follower(store, index, poll=0.001).run())
    async with asyncio.timeout(30):
        await recovered.wait()
    following.cancel()
    assert index.loaded
    assert events == ["suppression_index_stale", "suppression_index_loaded", "suppression_index_recovered"]

"""The writer: group commit, failures that end, and callers that go away. On SQLite files."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from bouncemilter.model import Cause, Scope, Sentence
from bouncemilter.store import Store, StoreUnavailable, writer


@pytest.fixture
def path(tmp_path):
    """Where the database of `store` lies."""
    return tmp_path / "store.db"


@pytest.fixture
def attempts(monkeypatch):
    """The transactions that the writer tries: what each was to do."""
    tried = []
    transact = writer.Writer._transact

    async def counted(self, works):
        tried.append(works)
        return await transact(self, works)

    monkeypatch.setattr(writer.Writer, "_transact", counted)
    return tried


def rows(path: Path) -> int:
    """Events on disk, as another program sees them."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM events").fetchone()[0]


LOCKING = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("BEGIN IMMEDIATE")
print(1, flush=True)
input()
"""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process holds the write lock."""
    command = [sys.executable, "-c", LOCKING, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"1\n"
        try:
            yield
        finally:
            process.kill()


async def test_group_commit(store, path, make):
    """Many callers share few commits, and each is answered only when its row is on disk."""
    commits = []
    event.listen(store._writing.sync_engine, "commit", commits.append)
    unseen = []

    async def caller(number: int) -> None:
        await store.record([make.entry(f"e{number}", address=f"u{number}@example.net")])
        with contextlib.closing(sqlite3.connect(path)) as connection:
            if not connection.execute("SELECT 1 FROM events WHERE id = ?", (f"e{number}",)).fetchone():
                unseen.append(number)

    await asyncio.gather(*(caller(number) for number in range(2 * writer.BATCH)))
    assert unseen == []
    assert rows(path) == 2 * writer.BATCH
    assert 2 <= len(commits) <= 3


async def test_batch_is_bounded_by_events(store, make, monkeypatch):
    """Messages with many recipients make small batches."""
    monkeypatch.setattr(writer, "BATCH_ENTRIES", 10)
    commits = []
    event.listen(store._writing.sync_engine, "commit", commits.append)
    messages = [[make.entry(f"e{number}.{each}") for each in range(5)] for number in range(8)]
    await asyncio.gather(*(store.record(message) for message in messages))
    assert len(commits) == 4


async def test_poison_costs_few_transactions(store, make, attempts):
    """One message that cannot be judged is found by halving, not by a commit for each of its neighbours."""

    def broken(_history):
        raise ZeroDivisionError

    calls = [store.record([make.entry(f"e{number}", broken if number == 77 else None)]) for number in range(128)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [number for number, answer in enumerate(answers) if isinstance(answer, Exception)] == [77]
    assert len(attempts) == 2 * 7 + 1


async def test_f05_locked_by_another_process(store, path, make, attempts):
    """While another process holds the lock, callers get StoreUnavailable, those who queued too; then all is well."""
    with locked(path):
        first = asyncio.create_task(store.record([make.entry("e1")]))
        await asyncio.sleep(0.05)
        assert store.waiting == 0
        second = asyncio.create_task(store.record([make.entry("e2")]))
        for call in (first, second):
            with pytest.raises(StoreUnavailable, match="locked"):
                await call
        assert len(attempts) == 1
        with pytest.raises(StoreUnavailable):
            await store.ping()
        assert await store.events_of("anna@example.net") == ()
    assert not (await store.record([make.entry("e1")]))[0].duplicate
    await store.ping()


async def test_f05_two_writers(store, url):
    """Two processes that read and then write in one transaction wait for each other instead of failing."""
    sentence = Sentence(Scope.GLOBAL, "", Cause.MANUAL, None)

    async def writing(one: Store, name: str) -> None:
        for number in range(40):
            await one.suppress(f"{name}{number}@example.pl", sentence, by="ewa")

    async with await Store.open(url) as other:
        await asyncio.gather(writing(store, "a"), writing(other, "b"))
    assert await store.last_change() == 80


async def test_f05_waits_for_a_short_lock(url, path, make):
    """A lock that is released within the time-out delays a commit, and fails nothing."""
    async with await Store.open(url, busy_timeout=30) as store:
        with locked(path):
            call = asyncio.create_task(store.record([make.entry("e1")]))
            await asyncio.sleep(0.05)
            assert not call.done()
        assert not (await call)[0].duplicate


async def test_f04_failing_writes(store, path, make):
    """Where the disk takes no more, nothing is kept and callers are told; then the writer recovers alone."""
    await store.record([make.entry("before")])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    wal = path.with_name("store.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal + 4096, hard))  # Python ignores SIGXFSZ: the write fails
    try:
        calls = [store.record([make.entry(f"e{number}", diagnostic="x" * 1000)]) for number in range(20)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 20
    assert rows(path) == 1
    answers = await asyncio.gather(*(store.record([make.entry(f"e{number}")]) for number in range(20)))
    assert not any(each.duplicate for (each,) in answers)
    assert rows(path) == 21


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of one megabyte; root only."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.servers
async def test_f04_full_disk(tmp_path, make):
    """On a full file system callers get StoreUnavailable, no half message is kept, and space heals it."""
    with small_disk(tmp_path):
        async with await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}") as store:
            await store.ping()
            ballast = tmp_path / "ballast"
            ballast.write_bytes(b"")
            with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            entries = [make.entry(f"e{number}", diagnostic="x" * 1000) for number in range(100)]
            with pytest.raises(StoreUnavailable, match="full"):
                await store.record(entries)
            assert rows(tmp_path / "store.db") == 0
            with pytest.raises(StoreUnavailable):
                await store.record(entries)
            ballast.unlink()
            assert not any(each.duplicate for each in await store.record(entries))
        with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_f40_bounded_queue(url, make):
    """More callers than may wait are refused at once; a ping is not, and those who wait are served."""
    async with await Store.open(url, waiting=3) as store:
        calls = [asyncio.create_task(store.record([make.entry(f"e{number}")])) for number in range(5)]
        ping = asyncio.create_task(store.ping())
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(answer) for answer in answers] == [tuple] * 3 + [StoreUnavailable] * 2
        await ping


async def test_cancelled_caller(store, path, make):
    """A caller that is cancelled while it waits leaves its neighbours alone."""
    calls = [asyncio.create_task(store.record([make.entry(f"e{number}")])) for number in range(3)]
    await asyncio.sleep(0)
    calls[1].cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(answers[1], asyncio.CancelledError)
    assert not answers[0][0].duplicate
    assert not answers[2][0].duplicate
    assert rows(path) == 2


async def test_cancelled_during_commit(store, path, make):
    """A caller that is cancelled while its batch is written harms neither the batch nor the next one."""
    waits = asyncio.Event()

    def judge(history):
        waits.set()
        return make.counted(history)

    calls = [asyncio.create_task(store.record([make.entry(f"e{number}", judge)])) for number in range(3)]
    await waits.wait()
    calls[1].cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(answer) for answer in answers] == [tuple, asyncio.CancelledError, tuple]
    assert (await store.record([make.entry("e1")]))[0].duplicate
    assert rows(path) == 3


async def test_close_finishes_what_waits(store, path, make):
    """Closing commits what was called before it, and refuses what comes after it."""
    calls = [asyncio.create_task(store.record([make.entry(f"e{number}")])) for number in range(600)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*calls)
    assert rows(path) == 600
    for call in (store.record([make.entry("late")]), store.ping(), store.events_of("a@example.pl")):
        with pytest.raises(StoreUnavailable, match="closed"):
            await call
    await store.close()


async def test_order_of_calls(store, make):
    """Changes by hand and events take effect in the order of their calls, within one batch too."""
    await asyncio.gather(
        store.record([make.entry("e1", make.suppressed())]),
        store.lift("anna@example.net", by="ewa"),
        store.record([make.entry("e2", make.suppressed())]),
    )
    first, second = await store.listing.of("anna@example.net")
    assert (first.event_id, first.ended_by) == ("e1", "ewa")
    assert (second.event_id, second.ended_by) == ("e2", "")


async def test_ping_is_a_write(store, path, clock):
    """A ping leaves a committed trace."""
    await store.ping()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT at FROM heartbeat").fetchall() == [("2024-05-14 12:00:00.250000",)]


KILLED = """
import asyncio, runpy, sys
sys.path[:0] = [sys.argv[1]]
from bouncemilter.store import Store
make = runpy.run_path(sys.argv[1] + "/tests/store/conftest.py")["Make"]()

async def main():
    store = await Store.open(sys.argv[2])
    await store.record([make.entry("e1", make.suppressed())])
    print(1, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def killed(url, request):
    """A process that recorded an event, and was killed right after `record` returned."""
    command = [sys.executable, "-c", KILLED, str(request.config.rootpath), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"1\n"
        process.send_signal(signal.SIGKILL)


@pytest.mark.usefixtures("killed")
async def test_f02_killed_after_the_answer(url, make):
    """A process that is killed right after `record` returned has left its rows, and the retry is a duplicate."""
    async with await Store.open(url) as store:
        assert len(await store.suppressed("anna@example.net")) == 1
        assert (await store.record([make.entry("e1")]))[0].duplicate

"""Durable events: the store's group commit, against a bare SQLite loop that commits in batches."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import os
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from bouncemilter.model import Category, Decision, Effect, Event, Front, Kind, Trust
from bouncemilter.store import Entry, Store, Tally
from tests.bench.rounds import interleaved, line

EVENTS = 2048
CALLERS = 256
_numbers = itertools.count()


def main() -> None:
    """Print the rates and the ratio. Refuses tmpfs, on which nothing is durable."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        folder = Path(name)
        kind = subprocess.run(
            ["stat", "-f", "-c", "%T", name], capture_output=True, text=True, check=True
        ).stdout.strip()
        if kind in ("tmpfs", "ramfs"):
            raise SystemExit(f"storing: {folder} lies on {kind}: nothing is durable there")
        print(f"storing: {EVENTS} events of {CALLERS} callers, on {kind}; a bare fsync takes {_fsync(folder):.2f} ms")
        with asyncio.Runner() as runner:
            store = runner.run(Store.open(f"sqlite+aiosqlite:///{folder / 'store.db'}"))
            bare = _bare_database(folder / "bare.db")
            ways = {
                "the store": lambda: runner.run(_record(store)),
                "a bare SQLite loop": lambda: _insert(bare),
            }
            timing = interleaved(ways)
            for each in ways:
                print(f"  {each}: {timing.rate(each, EVENTS):,.0f} events/s")
            print(line("the store", timing, "the store", "a bare SQLite loop"))
            bare.close()
            runner.run(store.close())


def _fsync(folder: Path) -> float:
    """Milliseconds of one fsync of a small write, the median of 50."""
    seconds = []
    with (folder / "probe").open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(b"x" * 4096)
            started = time.perf_counter()
            os.fsync(file.fileno())
            seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds)


async def _record(store: Store) -> None:
    async def caller() -> None:
        for _ in range(EVENTS // CALLERS):
            event = _event(next(_numbers))
            await store.record([Entry(event, _counted)], [Tally(event.front, event.kind, event.category, event.trust)])

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(caller())


def _counted(_: object) -> Decision:
    return Decision(Effect.COUNTED, "soft, message 1 of 4 within 32 days", counts=True, watched="1/4")


def _event(number: int) -> Event:
    return Event(
        id=f"{number:032x}",
        at=dt.datetime.now(dt.UTC),
        front=Front.SINK,
        kind=Kind.BOUNCE,
        envelope_recipient=f"b+user{number}=example.pl@bounces.example.com",
        envelope_sender="",
        trust=Trust.PLAUSIBLE,
        trust_reason="verp",
        address_key=f"user{number}@example.pl",
        address=f"user{number}@example.pl",
        category=Category.MAILBOX_FULL,
        rule="generic.mailbox_full",
        diagnostic="552 5.2.2 Mailbox full " * 10,
        message_key=f"mid:<{number}@example.com>",
    )


def _bare_database(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE events (id TEXT PRIMARY KEY, address TEXT, at TEXT, words TEXT)")
    return connection


def _insert(connection: sqlite3.Connection) -> None:
    for _ in range(EVENTS // CALLERS):
        rows = [(f"{next(_numbers):032x}", "user@example.pl", "2026-01-05", "x" * 600) for _ in range(CALLERS)]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
        connection.execute("COMMIT")

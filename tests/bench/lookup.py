"""The suppression look-up at RCPT: at ten million, against a set of strings and SQLite by key; loading; freshness."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog

from bouncemilter.model import Cause, Scope, Sentence
from bouncemilter.store import Follower, Store, SuppressionIndex, Suppressions
from bouncemilter.store.index import Loading
from tests.bench.rounds import ROUNDS, interleaved, line

SUPPRESSIONS = 10_000_000
STORED = 1_000_000
"""So many are loaded from a store: one of ten million takes 2 GB and a minute to make."""
LOOKUPS = 20_000
CONFIRMED = 200
_BY_HAND = Sentence(Scope.GLOBAL, "", Cause.MANUAL, None)


def main() -> None:
    """Print the times, the ratios and the memory."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    program = [sys.executable, "-m", "tests.bench.lookup"]
    peak = int(subprocess.run(program, capture_output=True, text=True, check=True).stdout)
    print(f"look-up: {SUPPRESSIONS:,} suppressions; the daemon's code with them in memory peaks at {peak} MB")
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        _in_memory(Path(name))
        asyncio.run(_with_store(Path(name)))


def peak_memory() -> int:
    """The most megabytes of this process, with all that the daemon imports, while the index is filled."""
    import bouncemilter.daemon.service  # noqa: F401, PLC0415  (its weight is what is measured)

    _filled()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def _in_memory(folder: Path) -> None:
    index, known = _filled(), set(_keys(SUPPRESSIONS))
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    bare.execute("PRAGMA synchronous=OFF")
    bare.execute("CREATE TABLE suppressions (address TEXT PRIMARY KEY) WITHOUT ROWID")
    bare.execute("BEGIN")
    bare.executemany("INSERT INTO suppressions VALUES (?)", ((key,) for key in sorted(known)))
    bare.execute("COMMIT")

    def by_key(key: str) -> bool:
        return bare.execute("SELECT 1 FROM suppressions WHERE address = ?", (key,)).fetchone() is not None

    checks: dict[str, Callable[[str], bool]] = {
        "the index": index.contains,
        "a set of strings": known.__contains__,
        "SQLite by key": by_key,
    }
    for what, make, found in (("not suppressed", _stranger, False), ("suppressed", _member, True)):
        ways = {name: _asking(check, make, found=found) for name, check in checks.items()}
        timing = interleaved(ways)
        for name in ways:
            print(f"  {what}, {name}: {1e6 / timing.rate(name, LOOKUPS):.2f} µs")
        for other in list(ways)[1:]:
            print(line(f"{what}, the index", timing, "the index", other))
    bare.close()


async def _with_store(folder: Path) -> None:
    path = folder / "store.db"
    url = f"sqlite+aiosqlite:///{path}"
    async with await Store.open(url) as store, await Store.open(url) as another:
        _fill(path)
        index = SuppressionIndex()
        follower = Follower(store, index)
        started = time.perf_counter()
        await follower.catch_up()
        print(f"  {len(index):,} loaded from a store: {time.perf_counter() - started:.1f} s")
        lookup = Suppressions(store, index)
        for what, make, times in (
            ("not suppressed", _stranger, LOOKUPS),
            ("suppressed, confirmed", _stored, CONFIRMED),
        ):
            seconds = await asyncio.to_thread(_ask, lookup, make, times)
            print(f"  {what}, from another thread, counted in the metrics: {seconds * 1e6:.1f} µs")
        following = asyncio.create_task(follower.run())
        delays = sorted([await _delay(another, index, number) for number in range(ROUNDS)])
        following.cancel()
        print(f"  seen after the commit: {statistics.median(delays):.2f} s, at most {delays[-1]:.2f} s")


async def _delay(another: Store, index: SuppressionIndex, number: int) -> float:
    """Seconds between the commit of another connection and the look-up's answer."""
    key = f"new{number}@example.net"
    await another.suppress(key, _BY_HAND, by="bench")
    committed = time.perf_counter()
    while not index.contains(key):  # noqa: ASYNC110  (nothing tells of it)
        await asyncio.sleep(0.001)
    # The rounds shall not fall into step with the follower's.
    delay = time.perf_counter() - committed
    await asyncio.sleep(random.uniform(0, 0.3))
    return delay


def _ask(lookup: Suppressions, make: Callable[[], str], times: int) -> float:
    """Seconds of a look-up, the median of the rounds."""
    seconds = []
    for _ in range(ROUNDS):
        keys = [make() for _ in range(times)]
        started = time.perf_counter()
        for key in keys:
            lookup.standing(key)
        seconds.append((time.perf_counter() - started) / times)
    return statistics.median(seconds)


def _asking(check: Callable[[str], bool], make: Callable[[], str], *, found: bool) -> Callable[[], None]:
    """A run over keys that nobody has looked up before: a string keeps its hash once it is known."""
    batches = iter([[make() for _ in range(LOOKUPS)] for _ in range(ROUNDS + 1)])

    def run() -> None:
        for key in next(batches):
            if check(key) is not found:
                raise SystemExit(f"look-up: {key}: a wrong answer")

    return run


def _filled() -> SuppressionIndex:
    loading = Loading()
    loading.extend((key, True) for key in _keys(SUPPRESSIONS))
    loading.sort()
    index = SuppressionIndex()
    index.replace(loading, 0)
    return index


def _fill(path: Path) -> None:
    """Suppressions without evidence, put in behind the store's back: the fast way."""
    at = dt.datetime(2026, 1, 5, tzinfo=dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    bare = sqlite3.connect(path, isolation_level=None)
    bare.execute("BEGIN IMMEDIATE")
    bare.executemany(
        "INSERT INTO suppressions (address_key, address, scope, cause, created_at, created_by) "
        "VALUES (?1, ?1, 'global', 'hard', ?2, 'policy')",
        ((key, at) for key in sorted(_keys(STORED))),
    )
    bare.execute("COMMIT")
    bare.close()


def _keys(number: int) -> Iterator[str]:
    return (_key(each) for each in range(number))


def _key(number: int) -> str:
    return f"user{number}@example{number % 997}.pl"


def _member() -> str:
    return _key(random.randrange(SUPPRESSIONS))


def _stored() -> str:
    return _key(random.randrange(STORED))


def _stranger() -> str:
    return f"nobody{random.getrandbits(48)}@example.org"


if __name__ == "__main__":
    print(peak_memory())

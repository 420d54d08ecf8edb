"""`scrub` at a million addresses: the whole command, and its loop against a bare one with a set."""

from __future__ import annotations

import datetime as dt
import logging
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import structlog

from bouncemilter import address
from bouncemilter.lists import open_list
from bouncemilter.replacement import Replacement
from tests.bench.rounds import ROUNDS, interleaved, line

ADDRESSES = 1_000_000
SUPPRESSED = 100_000
"""Half of them stand in the list."""
COMMANDS = 3
"""Runs of the whole command: each opens the store and starts Python."""


def main() -> None:
    """Print the times and the ratio."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        folder = Path(name)
        path = folder / "list.csv"
        with path.open("w", encoding="ascii") as file:
            file.write("id;email;name\n")
            file.writelines(f"{each};User{each}@Example{each % 997}.pl;Jan Nowak\n" for each in range(ADDRESSES))
        print(f"scrub: {ADDRESSES:,} addresses, {path.stat().st_size / 1e6:.0f} MB, {SUPPRESSED:,} suppressed")
        _whole(folder, path)
        _loops(folder, path)


def _whole(folder: Path, path: Path) -> None:
    (folder / "state").mkdir()
    config = folder / "bouncemilter.toml"
    config.write_text(
        f'state_directory = "{folder / "state"}"\n[[return_path]]\ndomain = "bounces.example.pl"\nprefix = "b"\n'
        'sender_domains = ["example.pl"]\n',
        encoding="ascii",
    )
    command = [sys.executable, "-m", "bouncemilter"]
    subprocess.run(
        [*command, "suppression", "add", "x@example.pl", "--config", config], check=True, capture_output=True
    )
    _fill(folder / "state" / "bouncemilter.db")
    seconds = []
    for _ in range(COMMANDS):
        started = time.perf_counter()
        rejected = ["--rejected", folder / "rejected.csv"]
        subprocess.run([*command, "scrub", path, *rejected, "--config", config], check=True, capture_output=True)
        seconds.append(time.perf_counter() - started)
    print(f"  the command, with start, store and reasons: {statistics.median(seconds):.1f} s (median of {COMMANDS})")


def _loops(folder: Path, path: Path) -> None:
    known = set(_keys())

    def bare() -> None:
        with path.open(encoding="utf-8", newline="") as source, (folder / "bare").open("w", newline="") as out:
            for row in source:
                if row.split(";")[1].lower() not in known:
                    out.write(row)

    def ours() -> None:
        with Replacement(folder / "ours", path) as out:
            open_list(path).copy(out.file, lambda _, cell: address.key(cell) not in known, lambda _: None)
            out.finish()
            out.commit()

    timing = interleaved({"scrub's loop": ours, "a bare loop": bare})
    if (folder / "bare").read_bytes() != (folder / "ours").read_bytes():
        raise SystemExit("scrub: the loops differ")
    for name in timing.seconds:
        print(f"  {name}: {statistics.median(timing.seconds[name]):.2f} s (median of {ROUNDS})")
    print(line("all of the list", timing, "scrub's loop", "a bare loop"))


def _keys() -> list[str]:
    return [f"user{each}@example{each % 997}.pl" for each in range(0, SUPPRESSED * 20, 20)]


def _fill(path: Path) -> None:
    """Suppressions without evidence, put in behind the store's back: the fast way."""
    at = dt.datetime(2026, 1, 5, tzinfo=dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    bare = sqlite3.connect(path, isolation_level=None)
    bare.execute("BEGIN IMMEDIATE")
    bare.executemany(
        "INSERT INTO suppressions (address_key, address, scope, cause, created_at, created_by) "
        "VALUES (?1, ?1, 'global', 'hard', ?2, 'policy')",
        ((key, at) for key in _keys()),
    )
    bare.execute("COMMIT")
    bare.close()


if __name__ == "__main__":
    main()

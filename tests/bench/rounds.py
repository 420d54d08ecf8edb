"""Interleaved rounds: two ways are timed side by side, and compared only within their round."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ROUNDS = 15


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of each way, one entry a round."""

    seconds: Mapping[str, list[float]]

    def rate(self, way: str, number: int) -> float:
        """Things a second, at the median round, where one run does `number` of them."""
        return number / statistics.median(self.seconds[way])

    def ratio(self, ours: str, theirs: str) -> tuple[float, float, float]:
        """How many times as fast `ours` is: lower quartile, median and upper quartile of the paired ratios."""
        paired = [their / our for our, their in zip(self.seconds[ours], self.seconds[theirs], strict=True)]
        low, middle, high = statistics.quantiles(paired, n=4)
        return low, middle, high


def interleaved(ways: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> Timing:
    """Time each way once a round, after one untimed round that fills the caches that a daemon has filled too."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for run in ways.values():
        run()
    for _ in range(rounds):
        for name, run in ways.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    return Timing(seconds)


def line(name: str, timing: Timing, ours: str, theirs: str) -> str:
    """`name: 2.10 times theirs (quartiles 2.05 to 2.15)`."""
    low, middle, high = timing.ratio(ours, theirs)
    return f"  {name}: {middle:.2f} times as fast as {theirs} (quartiles {low:.2f} to {high:.2f})"

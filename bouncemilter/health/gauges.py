"""What the daemon's own figures tell of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bouncemilter.health.snapshot import Gauges


class Sample(NamedTuple):
    """One figure of /metrics."""

    name: str
    labels: dict[str, str]
    value: float


def gauges(samples: Iterable[Sample]) -> Gauges:
    """Of the figures of /metrics."""
    found = list(samples)

    def value(name: str) -> float | None:
        return next((each.value for each in found if each.name == name), None)

    last_error = value("bouncemilter_last_error_timestamp_seconds")
    return Gauges(
        store_up=value("bouncemilter_store_up") != 0,
        reload_success=value("bouncemilter_reload_success") != 0,
        index_age=value("bouncemilter_suppression_index_age_seconds"),
        last_error=dt.datetime.fromtimestamp(last_error, dt.UTC) if last_error else None,
        overdue=value("bouncemilter_mailbox_overdue_seconds"),
        open_balances=tuple(_open_balances(found)),
    )


def _open_balances(samples: list[Sample]) -> Iterator[str]:
    def total(name: str, front: str) -> float:
        return sum(each.value for each in samples if each.name == name and each.labels.get("front") == front)

    received = "bouncemilter_received_total"
    for front in sorted({each.labels["front"] for each in samples if each.name == received}):
        flying = total("bouncemilter_in_flight", front)
        settled = ("bouncemilter_classified_total", "bouncemilter_duplicates_total", "bouncemilter_failed_total")
        accounted = sum(total(name, front) for name in settled) + flying
        disposed = total("bouncemilter_disposed_total", front) + flying
        if not accounted == disposed == total(received, front):
            yield front

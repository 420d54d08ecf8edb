"""What the daemon's own figures tell."""

from __future__ import annotations

from bouncemilter.health.gauges import Sample, gauges
from tests.statistics.mailing import NOON


def page(received: float = 5, classified: float = 3, discarded: float = 5) -> list[Sample]:
    sink = {"front": "sink"}
    return [
        Sample("bouncemilter_received_total", sink, received),
        Sample("bouncemilter_classified_total", {**sink, "kind": "bounce"}, classified),
        Sample("bouncemilter_classified_total", {**sink, "kind": "mail"}, 1),
        Sample("bouncemilter_duplicates_total", sink, 1),
        Sample("bouncemilter_disposed_total", {**sink, "disposition": "discard"}, discarded),
        Sample("bouncemilter_received_total", {"front": "milter"}, 0),
        Sample("bouncemilter_last_error_timestamp_seconds", {}, NOON.timestamp()),
        Sample("bouncemilter_store_up", {}, 0),
    ]


def test_gauges() -> None:
    """The figures of /metrics are read; a balance is open if either of its two sums is not what was received."""
    found = gauges(page())
    assert (found.open_balances, found.store_up, found.reload_success) == ((), False, True)
    assert found.last_error == NOON
    for changed in ({"received": 6}, {"classified": 4}, {"discarded": 4}):
        assert gauges(page(**changed)).open_balances == ("sink",)

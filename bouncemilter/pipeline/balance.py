"""The two balances of each front, counted for each envelope recipient that is ours.

received = Σ classified{kind} + duplicates + Σ failed{stage} + in flight
received = Σ disposed{disposition} + in flight
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from prometheus_client import Counter, Gauge

from bouncemilter.model import Disposition, Front, Kind

RECEIVED: Final = Counter(
    "bouncemilter_received_total", "Envelope recipients of ours whose message came in whole", ["front"]
)
CLASSIFIED: Final = Counter("bouncemilter_classified_total", "Read, and new to the store", ["front", "kind"])
DUPLICATES: Final = Counter("bouncemilter_duplicates_total", "Read, and already in the store", ["front"])
FAILED: Final = Counter("bouncemilter_failed_total", "Not settled, by the stage that failed", ["front", "stage"])
IN_FLIGHT: Final = Gauge("bouncemilter_in_flight", "Received, and not answered yet", ["front"])
DISPOSED: Final = Counter("bouncemilter_disposed_total", "Answered, by what was done", ["front", "disposition"])
INTERNAL_ERRORS: Final = Counter("bouncemilter_internal_errors_total", "Exceptions that should not be", ["front"])


class Stage(StrEnum):
    """Where a message failed."""

    READ = "read"
    COMMIT = "commit"
    ABORTED = "aborted"
    """The front gave up before the path was through: time-out, broken connection, shutdown."""


def declare() -> None:
    """Make every label value appear from the start, so that rates and balances have their zeros."""
    for front in Front:
        RECEIVED.labels(front)
        DUPLICATES.labels(front)
        INTERNAL_ERRORS.labels(front)
        IN_FLIGHT.labels(front)
        for kind in Kind:
            CLASSIFIED.labels(front, kind)
        for stage in Stage:
            FAILED.labels(front, stage)
        for disposition in Disposition:
            DISPOSED.labels(front, disposition)

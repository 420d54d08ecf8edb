"""The one path of every message: parse, trust, classify, decide, commit, a Disposition for each recipient.

And its counterpart, the gate that outgoing mail of a stream passes.
"""

from bouncemilter.pipeline.departure import Departure, DepartureFailed, DepartureOptions, Gate, Parting
from bouncemilter.pipeline.flight import Flight
from bouncemilter.pipeline.path import Options, Pipeline
from bouncemilter.pipeline.review import Review

__all__ = [
    "Departure",
    "DepartureFailed",
    "DepartureOptions",
    "Flight",
    "Gate",
    "Options",
    "Parting",
    "Pipeline",
    "Review",
]

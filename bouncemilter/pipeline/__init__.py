"""The one path of every message: parse, trust, classify, decide, commit, a Disposition for each recipient.

And its counterpart for the outgoing mail of streams.
"""

from bouncemilter.pipeline.flight import Flight
from bouncemilter.pipeline.outgoing import (
    OutgoingDecision,
    OutgoingMessage,
    OutgoingOptions,
    OutgoingPipeline,
    OutgoingUnavailable,
)
from bouncemilter.pipeline.path import Options, Pipeline
from bouncemilter.pipeline.review import Review

__all__ = [
    "Flight",
    "Options",
    "OutgoingDecision",
    "OutgoingMessage",
    "OutgoingOptions",
    "OutgoingPipeline",
    "OutgoingUnavailable",
    "Pipeline",
    "Review",
]

"""The one path of every message: parse, trust, classify, decide, commit, a Disposition for each recipient."""

from bouncemilter.pipeline.flight import Flight
from bouncemilter.pipeline.path import Options, Pipeline

__all__ = ["Flight", "Options", "Pipeline"]

"""The charset guess, under the name that the readers of reports use."""

from bouncemilter.charset import LOOKED_AT, guess

__all__ = ["LOOKED_AT", "guess"]

"""Reading a message: bytes in, a Report out. Never logs, never counts, never raises on input."""

from bouncemilter.report.identity import fingerprint
from bouncemilter.report.reader import read

__all__ = ["fingerprint", "read"]

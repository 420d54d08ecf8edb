"""Reading a message: bytes in, a Report out. Never logs, never counts, never raises on input."""

from bouncemilter.report.identity import fingerprint
from bouncemilter.report.reader import ALERT_HEADER, read

__all__ = ["ALERT_HEADER", "fingerprint", "read"]

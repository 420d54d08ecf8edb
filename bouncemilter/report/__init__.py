"""Reading a message: bytes in, a Report out. Never logs, never counts, never raises on input."""

from bouncemilter.report.identity import fingerprint
from bouncemilter.report.reader import ALERT_HEADER, ALERT_ID, read

__all__ = ["ALERT_HEADER", "ALERT_ID", "fingerprint", "read"]

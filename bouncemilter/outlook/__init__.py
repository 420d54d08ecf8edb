"""Outlook's `.msg` files as messages of RFC 5322. A leaf: bytes in, bytes out."""

from bouncemilter.outlook.compound import FILE_BYTES, MAGIC, OutlookError
from bouncemilter.outlook.message import to_rfc822

__all__ = ["FILE_BYTES", "MAGIC", "OutlookError", "to_rfc822"]

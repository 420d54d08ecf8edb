"""Machine reports that nobody counts: DMARC aggregates (RFC 7489 section 7.2), TLS reports (RFC 8460)."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter.model import Kind, Report
from bouncemilter.report.message import Message

_SUBJECT: Final = re.compile(r"(?i)report[ _-]domain:\s*\S+.{0,80}?submitter:|\bdmarc\b.{0,20}(?:aggregate )?report")
_ARCHIVES: Final = frozenset(
    b"""
    application/zip application/gzip application/x-gzip application/x-zip-compressed application/xml text/xml
    application/tlsrpt+gzip application/tlsrpt+json application/octet-stream
    """.split()
)


def read(message: Message) -> Report | None:
    """A report with its archive; its content is not read."""
    declared = message.headers.raw(b"content-type").lower()
    if b"tlsrpt" in declared or b"tls-report-domain" in message.headers:
        return Report(kind=Kind.REPORT, format="machine.tls")
    if _SUBJECT.search(message.subject) and any(part.content_type in _ARCHIVES for part in message.parts):
        return Report(kind=Kind.REPORT, format="machine.dmarc")
    return None

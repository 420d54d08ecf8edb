"""What makes two copies of one mail the same: the fingerprint in the event id."""

from __future__ import annotations

import hashlib
from typing import Final

from bouncemilter import limits, text
from bouncemilter.report.header import Headers
from bouncemilter.report.message import split_head

HASHED: Final = 256 * 1024
"""Octets of the body that are hashed: half of limits.KEPT_BYTES, so that line ends and trace headers, which differ
between the ways in, don't shift the cut."""
SIZE: Final = 32
"""Octets of the fingerprint."""


def fingerprint(raw: bytes) -> bytes:
    """BLAKE2b of a mail's Message-ID (its Date where that is no whole one) and of its body; 32 octets.

    Equal for one mail whether it came by milter (CRLF, no trace headers yet), LMTP or out of a mailbox: trace headers
    are not looked at, line ends are LF, white space at the end is dropped. Never raises.
    """
    data, body_at = split_head(raw)
    headers = Headers(data[:body_at], set())
    name = text.whole_message_id(headers.text(b"message-id", limits.MESSAGE_ID)) or headers.text(b"date")
    body = data[body_at : body_at + HASHED].rstrip()
    digest = hashlib.blake2b(digest_size=SIZE)
    digest.update(name.encode("utf-8", "replace"))
    digest.update(b"\0")
    digest.update(body)
    return digest.digest()

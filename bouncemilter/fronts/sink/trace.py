"""The header lines that say that a message was passed on: `X-Bouncemilter`, and the hop header that stops loops."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Final

from bouncemilter import address, limits
from bouncemilter.fronts.label import HEADER

HOP_HEADER: Final = f"{HEADER}-Hop"

_HEADER_END = re.compile(rb"\n\r?\n|\A\r?\n")
_FIELD = rb"(?im)^%s[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)(?:\n|\Z)"
_LABEL_FIELD = re.compile(_FIELD % re.escape(HEADER.encode()))
_HOP_FIELD = re.compile(_FIELD % re.escape(HOP_HEADER.encode()))
_MESSAGE_ID = re.compile(_FIELD % b"Message-ID")


@dataclass(frozen=True, slots=True)
class Trace:
    """Writes and knows our own header lines. `key` is the HMAC key; `head` is always the start of a message."""

    key: bytes = field(repr=False)

    def header(self, label: str, head: bytes, recipient: str) -> bytes:
        """The lines to put before a message that is passed to `recipient`; `label` is a kind or reason."""
        hop = f"{HOP_HEADER}: {self._mac(head, recipient)}\r\n" if self.key else ""
        return f"{HEADER}: {label}\r\n{hop}".encode("ascii")

    def looped(self, head: bytes, recipient: str) -> bool:
        """Whether we ourselves passed this message to this recipient before."""
        if not self.key:
            return False
        expected = self._mac(head, recipient).encode("ascii")
        return any(
            hmac.compare_digest(found[1].strip(), expected) for found in _HOP_FIELD.finditer(_header_block(head))
        )

    def _mac(self, head: bytes, recipient: str) -> str:
        """HMAC-SHA-256, cut to 128 bits, over the Message-ID and the folded recipient.

        The Message-ID makes a copied header line useless on any other message. A loop that adds a missing
        Message-ID is stopped one turn later.
        """
        found = _MESSAGE_ID.search(_header_block(head))
        message_id = b"".join(found[1].split()) if found else b""
        folded = (address.key(recipient) or recipient).encode("utf-8")
        said = b"bouncemilter hop 1\0" + folded + b"\0" + message_id
        return hmac.new(self.key, said, hashlib.sha256).hexdigest()[:32]


def without_label(head: bytes) -> bytes:
    """`head` without the `X-Bouncemilter` lines that came with it."""
    cut = _header_end(head)
    return _LABEL_FIELD.sub(b"", head[:cut]) + head[cut:]


def _header_block(head: bytes) -> bytes:
    return head[: min(limits.HEADER_BLOCK, _header_end(head))]


def _header_end(head: bytes) -> int:
    """Where the empty line behind the header block begins; the end of `head` without one."""
    found = _HEADER_END.search(head)
    if not found:
        return len(head)
    return found.start() + 1 if found.start() else 0

"""One message as it comes in over the milter protocol. No I/O."""

from __future__ import annotations

import datetime as dt

from bouncemilter import limits, text
from bouncemilter.fronts.label import HEADER
from bouncemilter.fronts.milter.outgoing import OutgoingTransaction
from bouncemilter.model import Envelope, Front, Source


class Message:
    """Envelope, kept bytes and size, from MAIL to the end of the message."""

    __slots__ = (
        "admitted",
        "broken",
        "head",
        "local",
        "marks",
        "others",
        "ours",
        "outgoing",
        "sender",
        "size",
        "started",
    )

    def __init__(self, sender: str, *, local: bool) -> None:
        self.sender = sender
        """Without angle brackets; empty for the null sender."""
        self.local = local
        """Came on Postfix's non_smtpd path."""
        self.ours: dict[str, str] = {}
        """Recipients of ours: the argument of RCPT, which `delrcpt` wants back → the address without brackets."""
        self.others = False
        """Whether somebody gets the message who is neither ours nor a recipient of `outgoing`."""
        self.outgoing: OutgoingTransaction | None = None
        """Of a stream: its recipients that aren't ours, and what matters of its headers."""
        self.admitted = False
        """Counted by `Admission`."""
        self.broken = False
        """A callback failed: what is kept can't be trusted."""
        self.head = bytearray()
        self.size = 0
        """Octets that came; more than `head` holds where it was cut."""
        self.marks = 0
        """Incoming copies of our header."""
        self.started = dt.datetime.now(dt.UTC)

    @property
    def matters(self) -> bool:
        """Whether the message is read: it comes to us, or is of a stream."""
        return bool(self.ours) or self.outgoing is not None

    @property
    def full(self) -> bool:
        """Whether bytes were lost: nothing more needs to come."""
        return self.size > len(self.head)

    def header(self, name: str, value: bytes, *, leading_space: bool) -> None:
        """Add a header field as it stood in the message. MTAs send folded values with bare newlines."""
        if self.outgoing is not None:
            self.outgoing.header(name, value)
        if not self.ours:
            return
        if name.lower() == HEADER.lower():
            self.marks += 1
        folded = value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        colon = b":" if leading_space else b": "
        self.keep(name.encode("utf-8", "surrogateescape") + colon + folded + b"\r\n")

    def keep(self, piece: bytes) -> None:
        """Count `piece` and keep of it what the limit allows."""
        room = limits.KEPT_BYTES - len(self.head)
        if room > 0:
            self.head += piece[:room]
        self.size += len(piece)

    def envelope(self, client: str, source: Source) -> Envelope:
        """What the pipeline is told."""
        return Envelope(
            front=Front.MILTER,
            sender=self.sender,
            recipients=tuple(self.ours.values()),
            received_at=self.started,
            source=source,
            client=client,
        )


def bare(argument: bytes) -> str:
    """The address in an argument of MAIL or RCPT, without angle brackets (Postfix's non_smtpd path has none)."""
    stripped = argument.strip()
    if stripped.startswith(b"<") and stripped.endswith(b">"):
        stripped = stripped[1:-1]
    return text.decode(stripped)

"""What is to be known of a mailbox."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from bouncemilter.fronts.mailbox.secret import Secret

INTERVAL: Final = 15 * 60.0
"""Seconds between two passes of the daemon; providers lock out who comes much more often."""
TIMEOUT: Final = 60.0
"""Seconds to wait for a server's answer."""


class SourceKind(StrEnum):
    """What sort of mailbox it is."""

    IMAP = "imap"
    """RFC 9051, RFC 3501."""
    POP3 = "pop3"
    """RFC 1939."""
    MAILDIR = "maildir"
    """https://cr.yp.to/proto/maildir.html"""
    MBOX = "mbox"
    """RFC 4155."""
    EML = "eml"
    """A file with one mail, or a folder of them."""

    @property
    def is_remote(self) -> bool:
        """Whether it is reached over the network."""
        return self in (SourceKind.IMAP, SourceKind.POP3)


class Security(StrEnum):
    """How a connection is encrypted."""

    TLS = "tls"
    """From the first octet on (RFC 8314)."""
    STARTTLS = "starttls"
    """By STARTTLS or STLS before anything else; a server without it is left alone."""
    NONE = "none"


class After(StrEnum):
    """What becomes of a message that was recognised and is on disk."""

    LEAVE = "leave"
    MOVE = "move"
    DELETE = "delete"


_PORTS: Final = {
    (SourceKind.IMAP, Security.TLS): 993,
    (SourceKind.POP3, Security.TLS): 995,
    (SourceKind.IMAP, Security.STARTTLS): 143,
    (SourceKind.POP3, Security.STARTTLS): 110,
    (SourceKind.IMAP, Security.NONE): 143,
    (SourceKind.POP3, Security.NONE): 110,
}


@dataclass(frozen=True, slots=True)
class MailboxOptions:
    """One mailbox, and what is done in it."""

    name: str
    """How it is called in messages and logs."""
    kind: SourceKind
    path: str = ""
    """Of a Maildir, an mbox, a folder or a file; `-` is standard input."""
    host: str = ""
    port: int = 0
    """0: the usual one."""
    security: Security = Security.TLS
    allow_unencrypted: bool = False
    """Whether Security.NONE is allowed to a host that is not this one."""
    ca_file: str = ""
    """PEM of the authorities that are believed; empty: the system's."""
    user: str = ""
    secret: Secret = field(default_factory=Secret)
    folder: str = "INBOX"
    after: After = After.LEAVE
    move_to: str = ""
    address: str = ""
    """The envelope recipient of messages that name none of ours; empty: they are left alone."""
    interval: float = INTERVAL
    timeout: float = TIMEOUT

    @property
    def actual_port(self) -> int:
        """The port that is connected to."""
        return self.port or _PORTS[self.kind, self.security]

    @property
    def place(self) -> str:
        """Where it lies, without secrets: `imap://anna@mail.example.pl:993/INBOX`, or a path."""
        if not self.kind.is_remote:
            return self.path
        folder = f"/{self.folder}" if self.kind is SourceKind.IMAP else ""
        return f"{self.kind}://{self.user}@{self.host}:{self.actual_port}{folder}"

    @property
    def identity(self) -> str:
        """The name of what is remembered of it: the same, whoever reads it."""
        return hashlib.blake2b(f"{self.kind} {self.place}".encode("utf-8", "replace"), digest_size=8).hexdigest()

    @property
    def may_send_password(self) -> bool:
        """Whether nobody on the way can read it."""
        return self.security is not Security.NONE or self.allow_unencrypted or is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host is this one, by its name alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False

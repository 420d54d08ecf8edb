"""The envelope of a message that lies in a mailbox, from what the last mail server wrote above it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from typing import Final, NamedTuple

from bouncemilter.fronts.mailbox.source import StoredMessage
from bouncemilter.model import Envelope, Front
from bouncemilter.report import delivered, moment
from bouncemilter.report.delivered import Owner
from bouncemilter.report.header import Headers
from bouncemilter.report.message import split_head

_CLIENT: Final = re.compile(rb"\[(?:IPv6:)?([0-9A-Fa-f:.]{2,45})\]")
"""An address literal, as mail servers write the client's address (RFC 5321 section 4.4)."""


class Found(NamedTuple):
    """An envelope, and how sure its recipient is."""

    envelope: Envelope
    named: bool
    """The message itself names the recipient; else it is the mailbox's address."""


def envelope(message: StoredMessage, owner: Owner, address: str, now: dt.datetime) -> Found | None:
    """The envelope of a message; None where nothing says that it came to an address of ours.

    `owner`: what an address is to us. `address`: the mailbox's own, or empty. `now`: UTC.
    """
    raw, body_at = split_head(message.head)
    headers = Headers(raw[:body_at], set())
    recipient = delivered.recipient(headers, owner)
    if not (recipient or address):
        return None
    at = moment.clamped(message.at or moment.of_headers(headers), now)
    made = Envelope(
        front=Front.MAILBOX,
        sender=delivered.sender(headers),
        recipients=(recipient or address,),
        received_at=at,
        client=_client(headers),
        read_at=now,
    )
    return Found(made, bool(recipient))


def _client(headers: Headers) -> str:
    """Who brought the message from outside: the first public address in Received, from the top; empty without one.

    What a stranger wrote himself stands below what our servers wrote.
    """
    for value in headers.all(b"received"):
        for written in _CLIENT.findall(value):
            try:
                found = ipaddress.ip_address(written.decode("ascii"))
            except ValueError:
                continue
            if found.is_global:
                return str(found)
    return ""

"""What a sink is made from: plain values, read from the configuration elsewhere."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from bouncemilter import limits
from bouncemilter.endpoint import Endpoint

MAX_MESSAGE_SIZE: Final = 50 * 1024 * 1024
"""Octets of a message. Above what MTAs send (Postfix 10,240,000; Exchange Online 35 MB): a refusal loses mail."""
COMMAND_SECONDS: Final = 30.0
"""Waiting for a whole command. RFC 5321 section 4.5.3.2.7 says 5 min; our client is an MTA next door."""
CONTENT_SECONDS: Final = 300.0
"""From 354 to the final dot. A whole, not a pause: a client that drips octets holds a connection no longer."""
PROCESS_SECONDS: Final = 120.0
"""Reading, judging and committing one message; well below the 600 s that Postfix waits (lmtp_data_done_timeout)."""


class Protocol(StrEnum):
    """What is spoken on a listener."""

    SMTP = "smtp"
    """RFC 5321."""
    LMTP = "lmtp"
    """RFC 2033: a reply for each recipient."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One socket of the sink."""

    protocol: Protocol
    address: str
    """As `Endpoint.parse` reads it; port 0 takes a free one."""
    mode: int = 0o660
    """Permissions of a unix socket."""


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """All that a sink needs to know. Raises ValueError on networks and addresses that can't be read."""

    listeners: tuple[Listener, ...]
    hostname: str
    """The name in the banner and in the EHLO reply."""
    maildir: Path
    """Where passed mail lies when nobody else takes it (`STATE/passed`)."""
    forward_to: str = ""
    """The SMTP server that gets passed mail, as `Endpoint.parse` reads it; empty: the Maildir."""
    hop_key: bytes = field(default=b"", repr=False)
    """The HMAC key of the hop header; needed with `forward_to`."""
    trusted_clients: tuple[str, ...] = ()
    """CIDRs of the MTAs whose XFORWARD is believed."""
    trust_unix_sockets: bool = True
    """Whether XFORWARD is believed on unix sockets, whose mode says who may connect."""
    max_message_size: int = MAX_MESSAGE_SIZE
    command_seconds: float = COMMAND_SECONDS
    content_seconds: float = CONTENT_SECONDS
    process_seconds: float = PROCESS_SECONDS
    connections: int = limits.CONNECTIONS
    spool: Path | None = None
    """Folder of the unnamed files that hold what is beyond limits.KEPT_BYTES; None: the system's own."""

    def __post_init__(self) -> None:
        for network in self.trusted_clients:
            ipaddress.ip_network(network)
        for listener in self.listeners:
            Endpoint.parse(listener.address)
        if self.forward_to:
            Endpoint.parse(self.forward_to)
            if len(self.hop_key) < 16:
                raise ValueError("forward_to needs a hop key of at least 16 octets")

    def trusts(self, peer: str) -> bool:
        """Whether XFORWARD is believed from this peer: an IP address, or an empty string for a unix socket."""
        if not peer:
            return self.trust_unix_sockets
        client = ipaddress.ip_address(peer.partition("%")[0])
        if isinstance(client, ipaddress.IPv6Address) and client.ipv4_mapped:
            client = client.ipv4_mapped
        return any(client in ipaddress.ip_network(network) for network in self.trusted_clients)

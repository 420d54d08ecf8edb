"""What the mail server must know of bouncemilter, whichever mail server it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bouncemilter import dkim
from bouncemilter.address import domain_key
from bouncemilter.stream import Stream, StreamKind

FIRST_PORT: Final = 10587
"""For the services of streams, one port each. An example; any free port will do."""


@dataclass(frozen=True, slots=True)
class Site:
    """The part of the configuration that the mail server must know; plain values."""

    return_paths: tuple[tuple[str, str], ...]
    """(domain, prefix) of each return path."""
    sink: str = ""
    """Where the LMTP sink listens: `unix:/absolute/path` or `inet:HOST:PORT`. Empty: no sink, the milter takes all."""
    milter: str = ""
    """Where the milter listens, in the same form. Empty: no milter."""
    watched: tuple[str, ...] = ()
    """The exact addresses of `inbound.addresses`."""
    queue_directory: str = "/var/spool/postfix"
    """`postconf -h queue_directory`: what a chrooted service takes for its root."""
    map_directory: str = "/etc/postfix/bouncemilter"
    """Where Postfix's lookup tables are to lie."""
    delimiters: str = "+="
    """Between prefix and recipient, then between the recipient's local part and domain."""
    signed: tuple[tuple[str, str], ...] = ()
    """Those of `return_paths` that are signed."""
    senders: tuple[tuple[str, str], ...] = ()
    """(From domain, domain of the return path that its mail carries)."""
    dkim: tuple[dkim.Key, ...] = ()
    """The public keys of our DKIM signatures."""
    streams: tuple[Stream, ...] = ()
    """The outgoing mail that the milter signs and holds against the suppressions."""
    access: str = ""
    """Where Postfix may ask about recipients without the milter. Empty: nowhere."""

    @property
    def domains(self) -> tuple[str, ...]:
        """The return-path domains, each once, as A-labels, in the order of the configuration."""
        return tuple(dict.fromkeys(domain_key(domain) for domain, _ in self.return_paths))

    @property
    def owned(self) -> tuple[Stream, ...]:
        """The streams whose mail is our business: all but the personal ones."""
        return tuple(each for each in self.streams if each.kind is not StreamKind.PERSONAL)

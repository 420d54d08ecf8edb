"""What the mail server must know of bouncemilter, whichever mail server it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bouncemilter.address import domain_key
from bouncemilter.returnpath import ROLES
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

    def verp(self, path: tuple[str, str], recipient: str) -> str:
        """The return path of the mail to `recipient`, of a (domain, prefix) of `return_paths`."""
        (domain, prefix), (local, _, host) = path, recipient.rpartition("@")
        return f"{prefix}{self.delimiters[0]}{local}{self.delimiters[1]}{host}@{domain}"


def probe_addresses(site: Site, path: tuple[str, str]) -> tuple[str, ...]:
    """What port 25 must take for a return path: that of the mail to somebody, the bare one, then the roles."""
    domain, prefix = path
    return (site.verp(path, "jan@example.org"), *(f"{local}@{domain}" for local in (prefix, *ROLES)))

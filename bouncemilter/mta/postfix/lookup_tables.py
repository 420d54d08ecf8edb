"""The lookup tables that `config postfix` prints: transport(5), regexp_table(5), access(5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bouncemilter import selftest
from bouncemilter.address import domain_key
from bouncemilter.mta.pattern import literal
from bouncemilter.mta.postfix.sockets import nexthop
from bouncemilter.mta.site import Site
from bouncemilter.returnpath import ROLES


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A lookup table: its type, its file and its lines."""

    kind: str
    """`texthash` and `regexp` are built into every Postfix and need no postmap."""
    path: str
    lines: tuple[str, ...]

    @property
    def name(self) -> str:
        """As main.cf names it: `regexp:/etc/postfix/bouncemilter/recipients`."""
        return f"{self.kind}:{self.path}"


def transport_table(site: Site) -> LookupTable:
    """Who gets the mail of the return paths (and, without a milter, of the watched addresses)."""
    lines = [f"{selftest.DOMAIN}  error:{selftest.ANSWER}"]
    if site.sink:
        keys = [*site.domains, *(() if site.milter else site.watched)]
        lines[:0] = [f"{key}  {nexthop(site)}" for key in keys]
    return LookupTable("texthash", f"{site.map_directory}/transport", tuple(lines))


def recipient_table(site: Site) -> LookupTable:
    """The only recipients that port 25 takes for the return-path domains. Patterns ignore case (regexp_table(5))."""
    return LookupTable("regexp", f"{site.map_directory}/recipients", tuple(_recipient_patterns(site)))


def access_table(site: Site) -> LookupTable:
    """The return-path domains, as an access(5) table that ends a restriction list."""
    lines = tuple(f"/@{literal(domain)}$/  OK" for domain in site.domains)
    return LookupTable("regexp", f"{site.map_directory}/access", lines)


def tables(site: Site) -> tuple[LookupTable, ...]:
    """All lookup tables that the printed lines name."""
    routed = (recipient_table(site), access_table(site)) if site.sink else ()
    return (transport_table(site), *routed)


def login_lines(site: Site) -> tuple[str, ...]:
    """Lines of a regexp table for smtpd_sender_login_maps: who may write signed return paths as envelope sender.

    The logins of the streams, as far as they are told by login; else the word LOGIN, to be filled in.
    """
    logins = dict.fromkeys(login for stream in site.streams for login in stream.match.sasl_login)
    names = ",".join(logins) or "LOGIN"
    plus = literal(site.delimiters[0])
    return tuple(
        f"/^{literal(prefix)}{plus}.*@{literal(domain_key(domain))}$/  {names}" for domain, prefix in site.signed
    )


def _recipient_patterns(site: Site) -> Iterator[str]:
    for domain, prefix in site.return_paths:
        yield f"/^{literal(prefix)}({literal(site.delimiters[0])}.*)?@{literal(domain_key(domain))}$/  OK"
    for domain in site.domains:
        yield f"/^({'|'.join(ROLES)})@{literal(domain)}$/  OK"

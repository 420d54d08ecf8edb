"""What Postfix must know of bouncemilter: the values that `config postfix` prints and that the doctor looks for.

Sources: transport(5), relay_recipient_maps and the milter parameters in postconf(5), MILTER_README, VERP_README.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from bouncemilter import selftest
from bouncemilter.address import domain_key
from bouncemilter.doctor.site import Site
from bouncemilter.returnpath import ROLES

TRANSPORT: Final = "bouncemilter"
"""The service of our own in master.cf: its settings touch no other mail."""
SELFTEST_ANSWER: Final = "5.1.1 bouncemilter self-test"
"""Status and text with which the error transport bounces the doctor's mail."""
MILTER_TIMEOUTS: Final = "connect_timeout=5s, command_timeout=10s, content_timeout=30s"
"""Postfix's own (30, 30, 300 s) let a hung milter hold every SMTP session. A commit waits at most 5 s for a lock."""

_PATTERN_CHARACTERS = frozenset(r".^$*+?()[]{}|\/")


@dataclass(frozen=True, slots=True)
class Table:
    """A lookup table: its type, its file and its lines."""

    kind: str
    """`texthash` and `regexp` are built into every Postfix and need no postmap."""
    path: str
    lines: tuple[str, ...]

    @property
    def name(self) -> str:
        """As main.cf names it: `regexp:/etc/postfix/bouncemilter/recipients`."""
        return f"{self.kind}:{self.path}"


def nexthop(site: Site) -> str:
    """What stands in a transport table for mail to the sink: `bouncemilter:unix:bouncemilter/lmtp.sock`."""
    kind, _, rest = site.sink.partition(":")
    if kind == "unix":
        return f"{TRANSPORT}:unix:{below_queue(rest, site.queue_directory)}"
    host, _, port = rest.rpartition(":")
    return f"{TRANSPORT}:inet:{_bracketed(host)}:{port}"


def milter_endpoint(site: Site) -> str:
    """The milter as Postfix names it: `unix:bouncemilter/milter.sock`, `inet:127.0.0.1:7357`."""
    kind, _, rest = site.milter.partition(":")
    return f"unix:{below_queue(rest, site.queue_directory)}" if kind == "unix" else site.milter


def milter_item(site: Site, away: str = "accept") -> str:
    """The milter as an item of smtpd_milters, with time-outs and default action of its own (MILTER_README)."""
    return f"{{ {milter_endpoint(site)}, {MILTER_TIMEOUTS}, default_action={away} }}"


def login_lines(site: Site) -> tuple[str, ...]:
    """Lines of a regexp table for smtpd_sender_login_maps: who may write signed return paths as envelope sender.

    The logins of the streams, as far as they are told by login; else the word LOGIN, to be filled in.
    """
    logins = dict.fromkeys(login for stream in site.streams for login in stream.match.sasl_login)
    names = ",".join(logins) or "LOGIN"
    plus = _escape(site.delimiters[0])
    return tuple(
        f"/^{_escape(prefix)}{plus}.*@{_escape(domain_key(domain))}$/  {names}" for domain, prefix in site.signed
    )


def below_queue(path: str, queue_directory: str) -> str:
    """`path` as Postfix's services should name it.

    Relative to the queue directory, which is every service's working directory, chrooted or not; the absolute path
    where the socket lies elsewhere (only a service without chroot reaches it then).
    """
    socket, queue = PurePosixPath(path), PurePosixPath(queue_directory)
    return str(socket.relative_to(queue)) if socket.is_relative_to(queue) else path


def transport_table(site: Site) -> Table:
    """Who gets the mail of the return paths (and, without a milter, of the watched addresses)."""
    lines = [f"{selftest.DOMAIN}  error:{SELFTEST_ANSWER}"]
    if site.sink:
        keys = [*site.domains, *(() if site.milter else site.watched)]
        lines[:0] = [f"{key}  {nexthop(site)}" for key in keys]
    return Table("texthash", f"{site.map_directory}/transport", tuple(lines))


def recipient_table(site: Site) -> Table:
    """The only recipients that port 25 takes for the return-path domains. Patterns ignore case (regexp_table(5))."""
    return Table("regexp", f"{site.map_directory}/recipients", tuple(_recipient_patterns(site)))


def access_table(site: Site) -> Table:
    """The return-path domains, as an access(5) table that ends a restriction list."""
    lines = tuple(f"/@{_escape(domain)}$/  OK" for domain in site.domains)
    return Table("regexp", f"{site.map_directory}/access", lines)


def tables(site: Site) -> tuple[Table, ...]:
    """All lookup tables that the printed lines name."""
    routed = (recipient_table(site), access_table(site)) if site.sink else ()
    return (transport_table(site), *routed)


def _recipient_patterns(site: Site) -> Iterator[str]:
    for domain, prefix in site.return_paths:
        yield f"/^{_escape(prefix)}({_escape(site.delimiters[0])}.*)?@{_escape(domain_key(domain))}$/  OK"
    for domain in site.domains:
        yield f"/^({'|'.join(ROLES)})@{_escape(domain)}$/  OK"


def _bracketed(host: str) -> str:
    """A host so that Postfix asks no MX for it: `[127.0.0.1]`; an IPv6 address as `[ipv6:::1]` (lmtp(8))."""
    bare = host.strip("[]")
    return f"[ipv6:{bare}]" if ":" in bare else f"[{bare}]"


def _escape(text: str) -> str:
    r"""`text` as a literal of a POSIX extended pattern between slashes: `re.escape` writes `\-`, which POSIX lacks."""
    return "".join(f"\\{char}" if char in _PATTERN_CHARACTERS else char for char in text)

"""Our sockets, as Postfix names them.

Sources: transport(5) and lmtp(8) on next hops, MILTER_README and the milter parameters in postconf(5).
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from bouncemilter.mta.site import Site

TRANSPORT: Final = "bouncemilter"
"""The service of our own in master.cf: its settings touch no other mail."""
MILTER_TIMEOUTS: Final = "connect_timeout=5s, command_timeout=10s, content_timeout=30s"
"""Postfix's own (30, 30, 300 s) let a hung milter hold every SMTP session. A commit waits at most 5 s for a lock."""


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


def below_queue(path: str, queue_directory: str) -> str:
    """`path` as Postfix's services should name it.

    Relative to the queue directory, which is every service's working directory, chrooted or not; the absolute path
    where the socket lies elsewhere (only a service without chroot reaches it then).
    """
    socket, queue = PurePosixPath(path), PurePosixPath(queue_directory)
    return str(socket.relative_to(queue)) if socket.is_relative_to(queue) else path


def _bracketed(host: str) -> str:
    """A host so that Postfix asks no MX for it: `[127.0.0.1]`; an IPv6 address as `[ipv6:::1]` (lmtp(8))."""
    bare = host.strip("[]")
    return f"[ipv6:{bare}]" if ":" in bare else f"[{bare}]"

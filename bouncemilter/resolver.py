"""The DNS servers that are asked: the host's own, or one that is named."""

from __future__ import annotations

import dns.asyncresolver

from bouncemilter.endpoint import Endpoint


def server(written: str) -> Endpoint:
    """`HOST:PORT`, or a HOST at port 53. Raises ValueError."""
    try:
        return Endpoint.parse(f"inet:{written}")
    except ValueError:
        return Endpoint.parse(f"inet:{written}:53")


def made(written: str = "") -> dns.asyncresolver.Resolver:
    """A resolver that remembers nothing, for the server at `written`, by its address; empty: /etc/resolv.conf.

    Raises ValueError where that names no server, and a DNSException where the host has none.
    """
    if not written:
        return dns.asyncresolver.Resolver()
    endpoint = server(written)
    found = dns.asyncresolver.Resolver(configure=False)
    found.nameservers = [endpoint.host]  # ValueError unless it is an address
    found.port = endpoint.port
    return found

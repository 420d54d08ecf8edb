"""Caps on what a stranger can make us keep or do."""

from __future__ import annotations

import ipaddress
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

EVENTS_AN_HOUR: Final = 1_000
"""Events of trust `none` that get a row of their own; the rest is counted only."""
EXCERPTS_AN_HOUR: Final = 100
"""Of those, how many keep an excerpt of their text."""
OPT_OUTS_AN_HOUR: Final = 20
"""Requests to be taken off from one SMTP client: anybody can write any From."""

_HOUR: Final = 3600.0
_IPV6_NETWORK: Final = 64
"""Bits that name one customer: whoever has one IPv6 address has all of its network (RFC 6177)."""


class HourlyCap:
    """Admits `limit` of each key in an hour. Holds one hour's keys, and no more than `keys` of them.

    `clock` gives seconds and never goes back: setting the time of day admits nobody anew.
    """

    def __init__(self, limit: int, keys: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._keys = keys
        self._clock = clock
        self._began = clock()
        self._used: Counter[str] = Counter()

    def admit(self, key: str = "") -> bool:
        """Whether one more of `key` is within the cap; it is counted if so."""
        now = self._clock()
        if now - self._began >= _HOUR:
            self._began = now
            self._used.clear()
        if self._used[key] >= self._limit or (key not in self._used and len(self._used) >= self._keys):
            return False
        self._used[key] += 1
        return True


def network(client: str) -> str:
    """Who an SMTP client is to a cap: its IPv4 address, or the /64 of its IPv6 address; the same text for any other."""
    try:
        found = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _IPV6_NETWORK), strict=False))

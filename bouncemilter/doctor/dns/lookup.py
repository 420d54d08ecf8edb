"""Asking DNS: the records of a name, by the host's own resolvers or by one that is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import dns.exception
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.resolver

from bouncemilter import resolver

SECONDS: Final = 3.0
"""For all tries of one question."""

Lookup = Callable[[str, str], Awaitable[tuple[str, ...]]]
"""(name, type such as `MX`) → the records as text, none where there are none. Raises UnansweredError.

TXT records come as one string each, joined as RFC 7208 section 3.3 says; MX records as `10 mx.example.com.`.
"""


class UnansweredError(Exception):
    """DNS gave no answer, so nothing is known of the name."""


def lookup(written: str = "") -> Lookup:
    """The question asked of `written` (`HOST:PORT`, or a HOST), or of those of /etc/resolv.conf. Raises ValueError."""
    if written:
        resolver.server(written)

    async def records(name: str, kind: str) -> tuple[str, ...]:
        try:
            answer = await resolver.made(written).resolve(f"{name}.", kind, lifetime=SECONDS, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise UnansweredError(f"DNS does not answer for {kind} of {name} ({type(error).__name__})") from error
        return tuple(_text(each) for each in answer)

    return records


def _text(record: object) -> str:
    if isinstance(record, dns.rdtypes.ANY.TXT.TXT):
        return b"".join(record.strings).decode("utf-8", "replace")
    return str(record)

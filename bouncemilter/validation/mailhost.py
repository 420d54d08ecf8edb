"""Whether a domain takes mail, by DNS: RFC 5321 section 5.1, RFC 7505."""

from __future__ import annotations

import asyncio
import ipaddress
import resource
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Final

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdtypes.ANY.MX
import dns.resolver

from bouncemilter import resolver

EXCHANGES: Final = 5
"""So many of a domain's mail servers are asked for their address; one with an address is enough."""


SILENCE: Final = 200
"""So many domains without any answer are not the domains' fault: the rest is not asked."""
_OTHER_FILES: Final = 64
"""Descriptors that are left for all else."""
_DESCRIPTORS: Final = 2
"""Of a question: its own, and the one of the question before, which may not be closed yet."""


class MailHostStatus(StrEnum):
    """What DNS says of a domain."""

    MX = "mx"
    IMPLICIT = "implicit"
    """No MX, but an address: mail goes there."""
    NULL_MX = "null_mx"
    """RFC 7505: takes no mail."""
    NO_SERVER = "no_server"
    """Neither MX nor address, or none of its MX has an address of another host than the one that asks."""
    NOT_FOUND = "not_found"
    UNANSWERED = "unanswered"
    """SERVFAIL, refused, a time-out: nothing is known."""


class ResolverError(ValueError):
    """No resolver that could be asked."""


class MailHosts:
    """Asks each domain once, many at a time. Used on one event loop."""

    def __init__(self, server: str = "", *, concurrency: int = 100, seconds: float = 5.0) -> None:
        """`server`: `HOST:PORT` or HOST, by address; empty: those of /etc/resolv.conf. `seconds`: for one question.

        ResolverError: there is none.
        """
        self._resolver = _asked(server)
        room = (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _OTHER_FILES) // _DESCRIPTORS
        self._concurrency = max(1, min(concurrency, room))
        self._heard = False
        self._seconds = seconds
        self._exchanges: dict[str, asyncio.Task[MailHostStatus]] = {}

    async def find(self, domains: Iterable[str], progress: Callable[[float], None]) -> dict[str, MailHostStatus]:
        """What is said of each domain (A-labels). `progress` is told of each that is done.

        Of the first SILENCE alone where none of them is answered.
        """
        found: dict[str, MailHostStatus] = {}
        waiting = iter(domains)

        async def work() -> None:
            for name in waiting:
                found[name] = await self._domain(name)
                self._heard = self._heard or found[name] is not MailHostStatus.UNANSWERED
                progress(1)
                if not self._heard and len(found) >= SILENCE:
                    break

        async with asyncio.TaskGroup() as group:
            for _ in range(self._concurrency):
                group.create_task(work())
        return found

    async def _domain(self, name: str) -> MailHostStatus:
        answer = await self._ask(name, "MX")
        if isinstance(answer, MailHostStatus):
            return answer
        exchanges = [each.exchange for each in answer if isinstance(each, dns.rdtypes.ANY.MX.MX)]
        if not exchanges:
            return await self._address(name, MailHostStatus.IMPLICIT)
        if exchanges == [dns.name.root]:
            return MailHostStatus.NULL_MX
        heard = MailHostStatus.NO_SERVER
        for exchange in exchanges[:EXCHANGES]:
            if exchange == dns.name.root:
                continue
            one = await self._exchange(exchange.to_text(omit_final_dot=True).lower())
            if one is MailHostStatus.MX:
                return one
            if one is MailHostStatus.UNANSWERED:
                heard = one
        # Of a domain with more servers than were asked for, nothing bad is known for sure.
        return heard if len(exchanges) <= EXCHANGES else MailHostStatus.MX

    async def _exchange(self, name: str) -> MailHostStatus:
        """Whether a mail server has an address; each is asked once."""
        task = self._exchanges.get(name)
        if task is None:
            task = self._exchanges[name] = asyncio.create_task(self._address(name, MailHostStatus.MX))
        return await task

    async def _address(self, name: str, there: MailHostStatus) -> MailHostStatus:
        """`there` where a name has an address."""
        heard = MailHostStatus.NO_SERVER
        for kind in ("A", "AAAA"):
            answer = await self._ask(name, kind)
            if answer is MailHostStatus.UNANSWERED:
                heard = MailHostStatus.UNANSWERED
            elif not isinstance(answer, MailHostStatus) and any(map(_leads_somewhere, answer)):
                return there
        return heard

    async def _ask(self, name: str, kind: str) -> list[object] | MailHostStatus:
        """The records; none where the name has none of this kind."""
        try:
            answer = await self._resolver.resolve(
                f"{name}.", kind, lifetime=self._seconds, search=False, raise_on_no_answer=False
            )
        except dns.resolver.NXDOMAIN:
            return MailHostStatus.NOT_FOUND
        except (dns.exception.DNSException, OSError, UnicodeError):
            return MailHostStatus.UNANSWERED
        return list(answer) if answer.rrset else []


def _leads_somewhere(record: object) -> bool:
    """Whether an address is not the asking host's own: `MX 0 localhost` is how some say that they take no mail."""
    written = getattr(record, "address", "")  # of A and AAAA
    try:
        found = ipaddress.ip_address(written)
    except ValueError:
        return False
    return not (found.is_loopback or found.is_unspecified)


def _asked(written: str) -> dns.asyncresolver.Resolver:
    try:
        return resolver.made(written)
    except ValueError:
        raise ResolverError(f"{written}: a resolver is named by its address, such as 127.0.0.1:53") from None
    except (dns.exception.DNSException, OSError) as error:
        raise ResolverError(f"no resolver in /etc/resolv.conf ({type(error).__name__})") from None

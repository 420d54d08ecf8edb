"""Domains that others did not find: our own DNS is asked, long after the reply, and policy runs again.

Somebody else's "domain not found" may be his resolver's bad day, so it needs two messages. Where our own DNS says that
the name does not exist, one is enough. Silence, SERVFAIL and a resolver that does not find a name that surely exists
confirm nothing.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Final

import dns.asyncresolver
import dns.exception
import dns.resolver
import structlog

from bouncemilter import policy
from bouncemilter import resolver as resolvers
from bouncemilter.model import Decision, Event, History
from bouncemilter.store import Entry, Store

CONTROL: Final = "example.com"
"""A name that exists (RFC 2606 section 3). A resolver that says otherwise confirms nothing."""
ROUND_SECONDS: Final = 60.0
AGAIN: Final = dt.timedelta(hours=1)
"""A domain that was not confirmed is asked for again after so long."""
GIVEN_UP: Final = dt.timedelta(days=2)
"""Failures older than this are not looked at any more."""
DOMAINS: Final = 200
"""Domains asked for in one round."""
SECONDS: Final = 5.0
"""For all tries of one question."""

_log = structlog.get_logger()


class Confirmer:
    """Asks for the domains of recent failures, one after the other. Runs on the store's event loop."""

    def __init__(
        self,
        store: Store,
        rules: Callable[[], policy.Rules],
        resolver: Callable[[], str | None] = str,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """`resolver`: `HOST:PORT`; empty: those of /etc/resolv.conf; None: nobody is to be asked."""
        self._store = store
        self._rules = rules
        self._resolver = resolver
        self._clock = clock
        self._asked: dict[str, dt.datetime] = {}

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(ROUND_SECONDS)
            try:
                await self.confirm()
            except Exception as error:  # noqa: BLE001  (the next round may bring more luck)
                _log.warning("confirmation_failed", error=repr(error))

    async def confirm(self) -> int:
        """One round; how many failures were confirmed. StoreUnavailable."""
        now, server = self._clock(), self._resolver()
        if server is None:
            return 0
        self._asked = {name: at for name, at in self._asked.items() if at > now - AGAIN}
        waiting = self._waiting([each.event for each in await self._store.domains_not_found(now - GIVEN_UP)])
        names = [name for name in waiting if name not in self._asked][:DOMAINS]
        if not names:
            return 0
        asked = resolvers.made(server)
        if await _is_missing(asked, CONTROL, "NS") is not False:
            return 0
        confirmed = 0
        for name in names:
            self._asked[name] = now
            if await _is_missing(asked, name, "NS") and await _is_missing(asked, name, "MX"):
                for event in waiting[name]:
                    await self._commit(event, now)
                    confirmed += 1
        return confirmed

    @staticmethod
    def _waiting(events: list[Event]) -> dict[str, list[Event]]:
        """The newest failure of each address that has none that is confirmed, by domain."""
        done = {each.address_key for each in events if each.dns_confirmed}
        found: dict[str, list[Event]] = {}
        for each in events:
            if each.address_key and each.address_key not in done:
                done.add(each.address_key)
                found.setdefault(each.address_key.rpartition("@")[2], []).append(each)
        return found

    async def _commit(self, event: Event, now: dt.datetime) -> None:
        """Record the failure again, as confirmed: the same message, so that it counts once."""
        name = hashlib.blake2b(f"dns\0{event.id}".encode(), digest_size=16).hexdigest()
        confirmed = dataclasses.replace(event, id=name, at=now, dns_confirmed=True, excerpt="")

        def judge(history: History) -> Decision:
            return policy.decide(confirmed, history, self._rules())

        (recorded,) = await self._store.record([Entry(confirmed, judge)])
        if recorded.decision and not recorded.duplicate:
            _log.info(
                "domain_confirmed_missing",
                address=event.address_key,
                event_id=name,
                effect=recorded.decision.effect,
                reason=recorded.decision.reason,
            )


async def _is_missing(resolver: dns.asyncresolver.Resolver, name: str, kind: str) -> bool | None:
    """Whether DNS says that `name` does not exist (NXDOMAIN); None where it says nothing."""
    try:
        await resolver.resolve(f"{name}.", kind, lifetime=SECONDS, search=False)
    except dns.resolver.NXDOMAIN:
        return True
    except dns.resolver.NoAnswer:
        return False
    except (dns.exception.DNSException, OSError, UnicodeError):
        return None
    return False

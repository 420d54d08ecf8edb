"""Handing passed mail on: to another SMTP server, or into the Maildir. Never a bounce, never a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import Counter

from bouncemilter.endpoint import Endpoint
from bouncemilter.fronts.label import HEADER
from bouncemilter.fronts.sink.fault import internal_error
from bouncemilter.fronts.sink.maildir import Maildir
from bouncemilter.fronts.sink.peer import Peer, PeerResult
from bouncemilter.fronts.sink.spool import Spool
from bouncemilter.fronts.sink.trace import Trace, without_label
from bouncemilter.model import Disposition

PASSED: Final = Counter("bouncemilter_sink_passed_total", "Passed mail by where it went and why", ["route", "why"])
# route: forwarded | maildir (no forward_to) | refused (5xx, so the Maildir) | looped (so the Maildir) | deferred
# why:   role (postmaster@, abuse@, review@) | pipeline

TOTAL_SECONDS: Final = 180.0
"""All recipients of one message: with the processing before it, below the 600 s that Postfix waits for the reply."""
CONNECTIONS: Final = 20
"""To the other server at a time. Postfix takes 50 from one client (smtpd_client_connection_count_limit)."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Passed:
    """One recipient that gets the message."""

    recipient: str
    label: str
    """The value of `X-Bouncemilter`: a kind, `role_address`, or what was made of a message to review@."""
    why: str
    """The metric's label: `role` or `pipeline`."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message that is passed on. The null sender is an empty string."""

    sender: str
    spool: Spool
    head: bytes
    """As the spool's `head`."""
    smtputf8: bool = False
    """Whether it came with SMTPUTF8 (RFC 6531 section 3.4)."""


class Forwarder:
    """Where passed mail goes. `server` None: into the Maildir."""

    def __init__(self, maildir: Maildir, trace: Trace, hostname: str, server: Endpoint | None = None) -> None:
        self._maildir = maildir
        self._trace = trace
        self._hostname = hostname
        self._server = server
        self._turn = asyncio.Semaphore(CONNECTIONS)

    async def start(self) -> None:
        """Make the Maildir. Raises OSError."""
        await asyncio.to_thread(self._maildir.create)

    async def pass_on(self, mail: Mail, passed: Sequence[Passed], *, together: bool = False) -> list[Disposition]:
        """PASS or TEMPFAIL for each, in order; PASS only when it is on somebody's disk. Never raises.

        `together`: one reply for all follows, so stop at the first TEMPFAIL; who had it already gets it twice.
        """
        done: list[Disposition] = []
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                await self._pass_on(mail, passed, done, together=together)
        except TimeoutError:
            _log.warning("forward_timeout", front="sink", passed=len(done), recipients=len(passed))
        except Exception as error:  # noqa: BLE001  (a constant reply for whatever went wrong)
            internal_error(error, "pass_on")
        return done + [Disposition.TEMPFAIL] * (len(passed) - len(done))

    async def _pass_on(self, mail: Mail, passed: Sequence[Passed], done: list[Disposition], *, together: bool) -> None:
        async with self._turn, Peer(self._server, self._hostname) as peer:
            for each in passed:
                route = await self._route(peer, mail, each)
                PASSED.labels(route, each.why).inc()
                done.append(Disposition.TEMPFAIL if route == "deferred" else Disposition.PASS)
                if together and route == "deferred":
                    return

    async def _route(self, peer: Peer, mail: Mail, each: Passed) -> str:
        if self._server is None:
            return await self._keep(mail, each, "maildir")
        if self._trace.looped(mail.head, each.recipient):
            return await self._keep(mail, each, "looped")
        outcome = await peer.send(mail.sender, each.recipient, self._pieces(mail, each), smtputf8=mail.smtputf8)
        if outcome is PeerResult.REFUSED:
            return await self._keep(mail, each, "refused")
        return outcome.value

    async def _pieces(self, mail: Mail, each: Passed) -> AsyncIterator[bytes]:
        yield self._trace.header(each.label, mail.head, each.recipient)
        yield without_label(mail.head)
        rest = mail.spool.rest()
        while piece := await asyncio.to_thread(next, rest, b""):
            yield piece

    async def _keep(self, mail: Mail, each: Passed, route: str) -> str:
        try:
            await asyncio.to_thread(self._maildir.add, self._kept(mail, each))
        except (OSError, ValueError) as error:
            _log.error("maildir_failed", front="sink", error=str(error))
            return "deferred"
        if route != "maildir":
            _log.warning("kept_in_maildir", front="sink", route=route, recipient=each.recipient)
        return route

    def _kept(self, mail: Mail, each: Passed) -> Iterator[bytes]:
        lines = f"Return-Path: <{mail.sender}>\r\nDelivered-To: {each.recipient}\r\n{HEADER}: {each.label}\r\n"
        yield lines.encode("utf-8")
        yield without_label(mail.head)
        yield from mail.spool.rest()

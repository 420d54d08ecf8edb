"""One connection of the sink from its first octet to its last, whatever is said on it; mends aiosmtpd here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, NoReturn

from aiosmtpd.smtp import SMTP
from prometheus_client import Counter

from bouncemilter.fronts.sink.delivery import Delivery
from bouncemilter.fronts.sink.fault import TEMPORARY, internal_error
from bouncemilter.fronts.sink.options import Protocol, SinkOptions
from bouncemilter.returnpath import Ownership

CONNECTIONS: Final = Counter(
    "bouncemilter_sink_connections_total", "Connections, by what became of them", ["protocol", "outcome"]
)
"""protocol: `smtp`, `lmtp`; outcome: `accepted`, `refused` (over the cap, or while stopping)."""

COMMAND_LINE: Final = 2048
"""Octets of a command line: the 512 of RFC 5321 with what DSN, SIZE and SMTPUTF8 add, and Postfix's XFORWARD lines."""
_LINGER: Final = 5.0
"""Seconds that a client has to take our last words before the connection is cut."""
_CALLS: Final = {"*": 1_000_000, "NOOP": 100, "VRFY": 100, "EXPN": 100, "HELP": 100}
"""Commands on one connection: each resets the idle time-out, and these serve for nothing else."""

SHUTDOWN: Final = "421 4.3.2 Service shutting down"
BUSY: Final = "421 4.3.2 Too many connections, try again later"
TIMEOUT: Final = "421 4.4.2 Timeout"

# aiosmtpd logs addresses, and commands unescaped; what is worth a line is logged here.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)


class Service:
    """What the connections of a sink share."""

    def __init__(self, options: SinkOptions, ownership: Callable[[str], Ownership | None], delivery: Delivery) -> None:
        self.options = options
        self.ownership = ownership
        self.delivery = delivery
        self.connections: set[Connection] = set()
        self.closing = False
        self.empty = asyncio.Event()
        self.empty.set()

    def admit(self, connection: Connection) -> str:
        """Let a connection in: an empty string, or the reply with which it is sent away."""
        full = len(self.connections) >= self.options.connections
        outcome = "refused" if self.closing or full else "accepted"
        CONNECTIONS.labels(connection.protocol.value, outcome).inc()
        if outcome == "refused":
            return SHUTDOWN if self.closing else BUSY
        self.connections.add(connection)
        self.empty.clear()
        return ""

    def release(self, connection: Connection) -> None:
        """A connection has ended, and so has its work."""
        self.connections.discard(connection)
        if not self.connections:
            self.empty.set()


class _CommandLimits(dict[str, int]):
    """The same limit for each command; unlike aiosmtpd's defaultdict it does not grow by what clients invent."""

    def __missing__(self, key: str) -> int:
        return COMMAND_LINE


class Connection(SMTP):
    """A connection; what is said on it is the matter of its subclasses."""

    protocol = Protocol.SMTP
    line_length_limit = 64 * 1024
    command_size_limit = COMMAND_LINE
    command_size_limits = _CommandLimits()

    def __init__(self, service: Service) -> None:
        super().__init__(
            None,
            data_size_limit=service.options.max_message_size,
            enable_SMTPUTF8=True,
            hostname=service.options.hostname,
            ident="LMTP" if self.protocol is Protocol.LMTP else "ESMTP",
            timeout=service.options.command_seconds,
            command_call_limit=dict(_CALLS),
            loop=asyncio.get_running_loop(),
        )
        for name in ("AUTH", "STARTTLS"):
            self._smtp_methods.pop(name, None)
        self.service = service
        self.trusted = False
        """Whether XFORWARD is believed."""
        self.busy = False
        """Whether a message is in flight: from the 354 to the last reply."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the client in, or send it away."""
        assert isinstance(transport, asyncio.Transport)
        if refusal := self.service.admit(self):
            transport.write(f"{refusal}\r\n".encode("ascii"))
            transport.close()
            return
        peer = transport.get_extra_info("peername")
        self.trusted = self.service.options.trusts(peer[0] if isinstance(peer, tuple) else "")
        super().connection_made(transport)
        assert self._handler_coroutine is not None
        self._handler_coroutine.add_done_callback(self._ended)

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is closed; the work on it may still have to notice."""
        if self.session is None:  # sent away in connection_made
            return
        super().connection_lost(error)
        if self._handler_coroutine is not None and self._handler_coroutine.done():
            self.service.release(self)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """The work on the connection is over; its socket is closed by now, or soon."""
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, OSError):
            internal_error(error, "connection")
        if isinstance(self.transport, asyncio.Transport):
            self._close(self.transport)
        else:
            self.service.release(self)

    def _close(self, transport: asyncio.Transport) -> None:
        """Close when the client has taken all that was written, or after a while without that."""
        transport.close()
        self.loop.call_later(_LINGER, transport.abort)

    def dismiss(self, reply: str = SHUTDOWN) -> None:
        """From outside: say a last word, close, and read no further command."""
        if isinstance(self.transport, asyncio.Transport) and not self.transport.is_closing():
            self.transport.write(f"{reply}\r\n".encode("ascii"))
            self._close(self.transport)
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()

    def hang_up(self, reply: str = SHUTDOWN) -> NoReturn:
        """From inside a command: say a last word and close. What the client sent behind it is never obeyed."""
        self.dismiss(reply)
        raise ConnectionResetError("hung up")

    def abort(self) -> None:
        """Cut the connection; a message in flight is given up."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()

    def _timeout_cb(self) -> None:
        self.dismiss(TIMEOUT)

    async def handle_exception(self, error: Exception) -> str:
        """A constant temporary reply in place of aiosmtpd's 500 with the exception's text."""
        if not isinstance(error, OSError):
            internal_error(error, "command")
        return TEMPORARY

"""The socket that Postfix asks: `check_recipient_access socketmap:…` and `check_policy_service …`."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from prometheus_client import Counter, Gauge

from bouncemilter import enforcement, listener
from bouncemilter.endpoint import Endpoint
from bouncemilter.fronts.access import protocol
from bouncemilter.fronts.access.protocol import ProtocolError, Question
from bouncemilter.listener import SocketFile

if TYPE_CHECKING:
    from bouncemilter.pipeline import OutgoingPipeline

ASKED: Final = Counter("bouncemilter_access_questions_total", "Questions that Postfix asked, by protocol", ["protocol"])
CONNECTIONS: Final = Gauge("bouncemilter_access_connections", "Connections of Postfix that are open now")
REFUSED: Final = Counter("bouncemilter_access_connections_refused_total", "Connections over the cap, closed at once")
BAD: Final = Counter("bouncemilter_access_errors_total", "Connections that were closed for what came over them")
FAULTS: Final = Counter("bouncemilter_access_internal_errors_total", "Questions that a fault of ours left unanswered")
for _protocol in ("socketmap", "policy"):
    ASKED.labels(_protocol)

_REQUEST_SECONDS: Final = 10.0
"""From the first octet of a request to the answer; Postfix waits 100 s for a policy service, and for as long in all."""
_LENGTH: Final = len("8192:")
_FULL_LOG_SECONDS: Final = 60.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AccessOptions:
    """Plain values."""

    address: str
    """`unix:/absolute/path` or `inet:HOST:PORT`."""
    socket_mode: int = 0o660
    connections: int = 512
    """Postfix keeps one for each smtpd, and runs up to 100 of these for each service."""
    idle_timeout: float = 3600.0
    """Seconds. Postfix keeps its connections, and asks whenever mail comes."""


class AccessFront:
    """Answers on one socket, on the event loop. Any fault of ours is the answer that nothing is known."""

    def __init__(self, options: AccessOptions, outgoing: OutgoingPipeline) -> None:
        self._options = options
        self._outgoing = outgoing
        self._servers: list[asyncio.Server] = []
        self._files: list[SocketFile] = []
        self._open: set[asyncio.StreamWriter] = set()
        self._full_logged = -_FULL_LOG_SECONDS

    async def start(self) -> None:
        """Listen. Raises OSError; its `filename` is the address."""
        endpoint = Endpoint.parse(self._options.address)
        for sock in await asyncio.to_thread(listener.bind, endpoint, self._options.socket_mode):
            if sock.family == socket.AF_UNIX:
                self._files.append(SocketFile(Path(endpoint.path)))
                server = await asyncio.start_unix_server(self._serve, sock=sock, limit=protocol.OCTETS)
            else:
                server = await asyncio.start_server(self._serve, sock=sock, limit=protocol.OCTETS)
            self._servers.append(server)
        _log.info("access_listening", address=self._options.address)

    async def stop(self) -> None:
        """Close the socket and every connection: Postfix asks again, or does without."""
        for server in self._servers:
            server.close()
        for writer in tuple(self._open):
            writer.close()
        for file in self._files:
            file.remove()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= self._options.connections:
            self._refuse(writer)
            return
        self._open.add(writer)
        CONNECTIONS.inc()
        try:
            await self._answer_all(reader, writer)
        except (ProtocolError, asyncio.LimitOverrunError) as error:
            BAD.inc()
            _log.warning("access_bad_request", error=str(error))
        except (OSError, TimeoutError, asyncio.IncompleteReadError):  # Postfix went away
            pass
        finally:
            self._open.discard(writer)
            CONNECTIONS.dec()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _refuse(self, writer: asyncio.StreamWriter) -> None:
        """Close what is over the cap. Postfix asks again; a policy service that it can't reach is a 451."""
        REFUSED.inc()
        now = time.monotonic()
        if now - self._full_logged >= _FULL_LOG_SECONDS:
            self._full_logged = now
            _log.warning("access_full", connections=len(self._open))
        writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            async with asyncio.timeout(self._options.idle_timeout):
                first = await reader.read(1)
            if not first:
                return
            async with asyncio.timeout(_REQUEST_SECONDS):
                answer = self._socketmap if first.isdigit() else self._policy
                writer.write(await answer(first, reader))
                await writer.drain()

    async def _socketmap(self, first: bytes, reader: asyncio.StreamReader) -> bytes:
        length = first + await reader.readuntil(b":")
        if len(length) > _LENGTH or not length[:-1].isdigit() or int(length[:-1]) > protocol.OCTETS:
            raise ProtocolError("no length of a netstring")
        content = await reader.readexactly(int(length[:-1]) + 1)
        if not content.endswith(b","):
            raise ProtocolError("no comma behind a netstring")
        ASKED.labels("socketmap").inc()
        refusal = await self._judge(protocol.socketmap(content[:-1]))
        return protocol.netstring(f"OK {refusal}" if refusal else "NOTFOUND ")

    async def _policy(self, first: bytes, reader: asyncio.StreamReader) -> bytes:
        request = first + await reader.readuntil(b"\n\n")
        ASKED.labels("policy").inc()
        refusal = await self._judge(protocol.policy(request.rstrip(b"\n")))
        return f"action={refusal or 'DUNNO'}\n\n".encode()

    async def _judge(self, question: Question | None) -> str:
        """The access(5) result that refuses a recipient; empty where nothing is known against it."""
        if question is None:
            return ""
        outgoing = self._outgoing
        stream = outgoing.owner(question.origin, question.stream)
        if stream is None:
            return ""
        try:
            refusal = await outgoing.refusal_on_loop(stream, question.origin, question.recipient)
        except Exception:  # noqa: BLE001  (a fault of ours must not stop the mail)
            FAULTS.inc()
            _log.exception("internal_error", front="access")
            return ""
        if refusal is None:
            return ""
        outgoing.record_refusal(stream, question.recipient, refusal)
        words = refusal.text(authenticated=question.origin.authenticated)
        return f"{enforcement.REPLY_CODE} {enforcement.STATUS} {words}"

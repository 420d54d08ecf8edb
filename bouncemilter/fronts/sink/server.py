"""The sink as a whole: its listeners, its connections, its start and its end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog

from bouncemilter import listener
from bouncemilter.endpoint import Endpoint
from bouncemilter.fronts.sink.connection import Service
from bouncemilter.fronts.sink.conversation import Conversation, LmtpConversation
from bouncemilter.fronts.sink.delivery import Delivery
from bouncemilter.fronts.sink.forward import Forwarder
from bouncemilter.fronts.sink.maildir import Maildir
from bouncemilter.fronts.sink.options import Protocol, SinkOptions
from bouncemilter.fronts.sink.trace import Trace
from bouncemilter.pipeline import Pipeline

STOP_SECONDS: Final = 20.0
"""Grace for messages in flight; well below systemd's TimeoutStopSec of 90."""
CUT_SECONDS: Final = 2.0
"""For what was cut to notice."""

_log = structlog.get_logger()


class Sink:
    """An SMTP and LMTP server within the running loop. `async with`, or `start()` and `stop()`, once."""

    def __init__(self, options: SinkOptions, pipeline: Pipeline) -> None:
        self._options = options
        server = Endpoint.parse(options.forward_to) if options.forward_to else None
        self._forwarder = Forwarder(Maildir(options.maildir), Trace(options.hop_key), options.hostname, server)
        delivery = Delivery(pipeline, self._forwarder, options.process_seconds)
        self._service = Service(options, pipeline.ownership, delivery)
        self._servers: list[asyncio.Server] = []
        self._files: list[listener.SocketFile] = []
        self.addresses: list[str] = []
        """Where it listens, in the listeners' order, as `Endpoint.parse` reads it."""

    async def start(self) -> None:
        """Make the Maildir and listen. Raises OSError, and then listens nowhere."""
        await self._forwarder.start()
        try:
            for each in self._options.listeners:
                for sock in await asyncio.to_thread(listener.bind, Endpoint.parse(each.address), each.mode):
                    await self._serve(sock, each.protocol)
        except OSError:
            await self.stop(0)
            raise
        _log.info("sink_listening", addresses=self.addresses)

    async def stop(self, grace: float = STOP_SECONDS) -> None:
        """Close the listeners, send idle clients away with 421, and let messages in flight finish within `grace` s."""
        self._service.closing = True
        for server in self._servers:
            server.close()
        for file in self._files:
            file.remove()
        for connection in list(self._service.connections):
            if not connection.busy:
                connection.dismiss()
        try:
            async with asyncio.timeout(grace):
                await self._service.empty.wait()
        except TimeoutError:
            _log.warning("sink_stop_forced", connections=len(self._service.connections))
            await self._cut()
        self._servers.clear()
        self._files.clear()

    async def _cut(self) -> None:
        for connection in list(self._service.connections):
            connection.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CUT_SECONDS):
                await self._service.empty.wait()

    async def _serve(self, sock: socket.socket, protocol: Protocol) -> None:
        if sock.family == socket.AF_UNIX:
            self._files.append(listener.SocketFile(Path(sock.getsockname())))
        make = LmtpConversation if protocol is Protocol.LMTP else Conversation

        def factory() -> Conversation:
            return make(self._service)

        loop = asyncio.get_running_loop()
        if sock.family == socket.AF_UNIX:
            server = await loop.create_unix_server(factory, sock=sock, backlog=listener.BACKLOG)
        else:
            server = await loop.create_server(factory, sock=sock, backlog=listener.BACKLOG)
        self._servers.append(server)
        self.addresses.append(str(listener.name(sock)))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

"""The HTTP server, on the daemon's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from bouncemilter import listener
from bouncemilter.endpoint import Endpoint

_SOCKET_MODE: Final = 0o660
_STOP_SECONDS: Final = 2.0
CONNECTIONS: Final = 64
"""Open at once: a process on this host can't use up the descriptors that the fronts need."""


class _QuietServer(uvicorn.Server):
    """uvicorn without hands on the signals: the daemon has them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _CappedProtocol(H11Protocol):
    """uvicorn's own limit answers requests; this one closes connections, also those that never ask."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS:
            transport.close()


class WebServer:
    """Serves `app` on one address: `inet:HOST:PORT` or `unix:/path`."""

    def __init__(self, app: Starlette, address: str) -> None:
        self._endpoint = Endpoint.parse(address)
        config = uvicorn.Config(
            app, http=_CappedProtocol, log_config=None, access_log=False, lifespan="off", server_header=False
        )
        self._server = _QuietServer(config)
        self._task: asyncio.Task[None] | None = None
        self._file: listener.SocketFile | None = None

    async def start(self) -> None:
        """Listen; raises OSError where the address can't be had."""
        sockets = await asyncio.to_thread(listener.bind, self._endpoint, _SOCKET_MODE)
        if self._endpoint.path:
            self._file = listener.SocketFile(Path(self._endpoint.path))
        for each in sockets:
            each.listen(listener.BACKLOG)
        self._task = asyncio.create_task(self._server.serve(sockets=sockets))

    async def stop(self) -> None:
        """Close the listener and the connections."""
        if self._task is None:
            return
        if self._file:
            self._file.remove()
        self._server.should_exit = True
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(self._task, _STOP_SECONDS)

"""The HTTP server, on the daemon's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette

_SOCKET_MODE: Final = 0o660
_STOP_SECONDS: Final = 2.0


class _QuietServer(uvicorn.Server):
    """uvicorn without hands on the signals: the daemon has them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """Serves `app` on one address: `inet:HOST:PORT` or `unix:/path`."""

    def __init__(self, app: Starlette, address: str) -> None:
        self._address = address
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", server_header=False)
        self._server = _QuietServer(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; raises OSError where the address can't be had."""
        listening = _unix(self._address) if self._address.startswith("unix:") else _inet(self._address)
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))

    async def stop(self) -> None:
        """Close the listener and the connections."""
        if self._task is None:
            return
        self._server.should_exit = True
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(self._task, _STOP_SECONDS)


def _inet(address: str) -> socket.socket:
    host, _, port = address.removeprefix("inet:").rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, int(port)), family=family)


def _unix(address: str) -> socket.socket:
    path = Path(address.removeprefix("unix:"))
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    path.chmod(_SOCKET_MODE)
    listening.listen()
    return listening

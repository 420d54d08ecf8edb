"""The pages over HTTP, on TCP and unix sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

import bouncemilter.pipeline.balance  # noqa: F401  (its metrics are looked for)
from bouncemilter.endpoint import Endpoint
from bouncemilter.web.app import application
from bouncemilter.web.server import CONNECTIONS, WebServer
from tests.rig.postfix import free_ports


class Health:
    """A daemon's health, as the test says."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.refreshed = 0

    def obstacles(self) -> list[str]:
        return self.found

    async def refresh(self) -> None:
        self.refreshed += 1


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


async def ask(address: str, path: str, method: str = "GET") -> Answer:
    if address.startswith("unix:"):
        reader, writer = await asyncio.open_unix_connection(address.removeprefix("unix:"))
    else:
        host, _, port = address.removeprefix("inet:").rpartition(":")
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    status, *lines = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(status.split(" ")[1]), headers, body)


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture(params=["inet:127.0.0.1", "inet:[::1]", "unix"])
async def address(request: pytest.FixtureRequest, tmp_path: Path, health: Health) -> AsyncIterator[str]:
    where = tmp_path / "web.sock" if request.param == "unix" else free_ports(1)[0]
    found = f"{request.param}:{where}"
    server = WebServer(application(health, health.refresh), found)
    await server.start()
    yield found
    await server.stop()


async def test_pages(address: str, health: Health) -> None:
    """Each page says what it is for, is not kept by anybody, and does not tell what serves it."""
    for path, body in (("/healthz", "ok\n"), ("/readyz", "ready\n")):
        answer = await ask(address, path)
        assert (answer.status, answer.body) == (200, body)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers
    assert health.refreshed == 0
    metrics = await ask(address, "/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert "# TYPE bouncemilter_received_total counter" in metrics.body
    assert health.refreshed == 1


async def test_not_ready(address: str, health: Health) -> None:
    """Each obstacle is a line under 503; the process is alive all the same."""
    health.found = ["starting", "store unavailable"]
    answer = await ask(address, "/readyz")
    assert (answer.status, answer.body) == (503, "starting\nstore unavailable\n")
    assert (await ask(address, "/healthz")).status == 200


@pytest.mark.parametrize(("path", "method", "status"), [("/", "GET", 404), ("/metrics", "POST", 405)])
async def test_nothing_else(address: str, path: str, method: str, status: int) -> None:
    """There are no other pages, and nothing can be written."""
    assert (await ask(address, path, method)).status == status


async def test_connections_are_capped(address: str) -> None:
    """F14: silent connections beyond the cap are closed, and the pages are there again when they have gone."""
    endpoint = Endpoint.parse(address)
    idle = [await asyncio.to_thread(endpoint.connect, 5) for _ in range(CONNECTIONS + 1)]
    assert await asyncio.to_thread(idle[-1].recv, 1) == b""
    for each in idle:
        each.close()
    async with asyncio.timeout(5):
        while True:
            with contextlib.suppress(ValueError, IndexError, OSError):  # the cap still held
                assert (await ask(address, "/healthz")).status == 200
                break


async def test_stopped(health: Health, tmp_path: Path) -> None:
    """After its end nobody listens; stopping one that never began is no fault."""
    path = tmp_path / "web.sock"
    server = WebServer(application(health, health.refresh), f"unix:{path}")
    await server.stop()
    await server.start()
    assert path.stat().st_mode & 0o777 == 0o660
    await server.stop()
    with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
        await asyncio.open_unix_connection(path)


async def test_unix_socket_in_use(health: Health, tmp_path: Path) -> None:
    """A socket on which another process listens is not taken from it; a stale one is, and no other file."""
    path = tmp_path / "web.sock"
    server = WebServer(application(health, health.refresh), f"unix:{path}")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(OSError, match="in use"):
            await server.start()
    await server.start()
    assert (await ask(f"unix:{path}", "/healthz")).status == 200
    await server.stop()
    path.unlink(missing_ok=True)
    path.write_text("not a socket")
    with pytest.raises(OSError, match="not a socket"):
        await WebServer(application(health, health.refresh), f"unix:{path}").start()
    assert path.read_text() == "not a socket"

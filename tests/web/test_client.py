"""Asking the daemon's pages: what it says, and what is no answer of ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bouncemilter.daemon import service
from bouncemilter.web import client
from bouncemilter.web.app import application
from bouncemilter.web.server import WebServer
from tests.rig.postfix import free_ports

Serve = Callable[[bytes], Awaitable[str]]


class Daemon:
    """Its health, as the test says."""

    found: tuple[str, ...] = ()

    def obstacles(self) -> list[str]:
        return list(self.found)

    async def refresh(self) -> None:
        """Nothing is mirrored."""


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture(params=["inet:[::1]", "unix"])
async def address(request: pytest.FixtureRequest, tmp_path: Path, daemon: Daemon) -> AsyncIterator[str]:
    where = tmp_path / "web.sock" if request.param == "unix" else free_ports(1)[0]
    server = WebServer(application(daemon, daemon.refresh), f"{request.param}:{where}")
    await server.start()
    yield f"{request.param}:{where}"
    await server.stop()


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Somebody who answers whatever is asked with the same octets."""
    servers = []

    async def start(answer: bytes) -> str:
        async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            writer.close()

        servers.append(await asyncio.start_unix_server(reply, tmp_path / "other.sock"))
        return f"unix:{tmp_path / 'other.sock'}"

    yield start
    for each in servers:
        each.close()
        await each.wait_closed()


async def test_readiness(address: str, daemon: Daemon) -> None:
    """Ready, or why not."""
    assert await client.readiness(address) == (True, ())
    daemon.found = ("starting", "store unavailable")
    assert await client.readiness(address) == (False, ("starting", "store unavailable"))


async def test_samples(address: str) -> None:
    """The figures come with their labels and values."""
    service.SUPPRESSED.labels("hard").set(7)
    assert ("bouncemilter_suppressions_active", {"cause": "hard"}, 7.0) in (await client.samples(address) or ())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"220 mx.test ESMTP\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhello\n",
        b"HTTP/1.0 200 OK\r\n\r\nbouncemilter_info {{{\n",
    ],
)
async def test_strangers(serve: Serve, answer: bytes) -> None:
    """Whoever else answers there has no figures."""
    assert await client.samples(await serve(answer)) is None


@pytest.mark.parametrize("answer", [b"HTTP/1.1 404 No\r\n\r\n", b"\xff\xfe"])
async def test_no_readiness(serve: Serve, answer: bytes) -> None:
    """Another page, or no HTTP, says nothing."""
    assert await client.readiness(await serve(answer)) == (None, ())


async def test_nobody(tmp_path: Path) -> None:
    """Where nobody listens, nothing is said; `get` says why."""
    missing = f"unix:{tmp_path / 'none.sock'}"
    assert await client.readiness(missing) == (None, ())
    assert await client.samples(missing) is None
    with pytest.raises(FileNotFoundError):
        await client.get(missing, "/metrics")


async def test_endless(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an answer without end, no more than the limit is read."""
    monkeypatch.setattr(client, "BYTES", 1000)
    _, body = await client.get(await serve(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 1_000_000), "/")
    assert len(body) < 200_000

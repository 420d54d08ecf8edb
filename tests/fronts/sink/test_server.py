"""F09: start and stop; unix sockets."""

import asyncio
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bouncemilter.fronts.sink import Listener, Protocol
from tests.rig.lmtp import Client

OURS = "bounces+anna=example.net@bounces.example.com"
MAIL = b"Subject: x\r\n\r\nx\r\n"


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def in_flight(sink: Any, pipeline: Any, count: int) -> list[Client]:
    """Clients that wait for the reply to a message."""
    clients = []
    for _ in range(count):
        client = Client(sink.addresses[1], lmtp=True)
        await client.connect()
        await client.hello()
        await client.envelope("", [OURS])
        await client.cmd("DATA")
        pipeline.started.clear()
        await client.send(MAIL + b".\r\n")
        await pipeline.started.wait()
        clients.append(client)
    return clients


async def test_stop_finishes(sink: Any, pipeline: Any) -> None:
    """F09: messages in flight are answered, then their clients are sent away, idle ones at once; nobody comes in."""
    pipeline.gate.clear()
    clients = await in_flight(sink, pipeline, 50)
    idle = Client(sink.addresses[0])
    await idle.connect()
    stopping = asyncio.create_task(sink.stop(20))
    assert (await idle.reply()).startswith("421 4.3.2 ")
    with pytest.raises(ConnectionRefusedError):
        await Client(sink.addresses[0]).connect()
    assert not stopping.done()
    pipeline.gate.set()
    for client in clients:
        assert await client.reply() == "250 2.0.0 OK"
        assert (await client.reply()).startswith("421 4.3.2 ")
        await client.close()
    await idle.close()
    await stopping
    assert all(flight.settled for flight in pipeline.flights)


async def test_stop_gives_up(sink: Any, pipeline: Any) -> None:
    """F09: what is not done within the grace is dropped without a reply, so the MTA keeps it."""
    pipeline.gate.clear()
    (client,) = await in_flight(sink, pipeline, 1)
    await sink.stop(0.05)
    assert pipeline.flights[0].left
    assert pipeline.flights[0].settled is None
    assert await client.reply() == ""
    await client.close()


async def test_unix_socket(make_sink: Callable[..., Any], tmp_path: Path) -> None:
    """A unix socket has the mode that was asked for, serves, and is gone after the stop."""
    path = tmp_path / "sink.sock"
    sink = await make_sink(listeners=(Listener(Protocol.LMTP, f"unix:{path}", 0o600),))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    async with Client(sink.addresses[0], lmtp=True) as client:
        await client.hello()
        assert await client.deliver("", [OURS], MAIL) == ["250 2.0.0 OK"]
    await sink.stop(5)
    assert not path.exists()


async def test_stale_socket(make_sink: Callable[..., Any], tmp_path: Path) -> None:
    """A socket file that a dead daemon left is replaced."""
    path = tmp_path / "sink.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    sink = await make_sink(listeners=(Listener(Protocol.LMTP, f"unix:{path}"),))
    async with Client(sink.addresses[0], lmtp=True) as client:
        assert client.banner.startswith("220 ")


async def test_socket_in_use(make_sink: Callable[..., Any], tmp_path: Path) -> None:
    """A socket on which somebody listens is left alone, and so is a file that is no socket."""
    path = tmp_path / "sink.sock"
    listeners = (Listener(Protocol.LMTP, f"unix:{path}"),)
    first = await make_sink(listeners=listeners)
    with pytest.raises(OSError, match="in use"):
        await make_sink(listeners=listeners)
    async with Client(first.addresses[0], lmtp=True) as client:
        assert client.banner.startswith("220 ")
    (tmp_path / "file").write_text("keep me")
    with pytest.raises(OSError, match="not a socket"):
        await make_sink(listeners=(Listener(Protocol.LMTP, f"unix:{tmp_path}/file"),))
    assert (tmp_path / "file").read_text() == "keep me"


async def test_port_in_use(make_sink: Callable[..., Any], tmp_path: Path) -> None:
    """A sink that can't listen everywhere listens nowhere, and leaves no socket file."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listeners = (
            Listener(Protocol.LMTP, f"unix:{tmp_path}/sink.sock"),
            Listener(Protocol.SMTP, f"inet:127.0.0.1:{taken.getsockname()[1]}"),
        )
        with pytest.raises(OSError, match="in use"):
            await make_sink(listeners=listeners)
    assert not (tmp_path / "sink.sock").exists()


async def test_no_descriptor_left(make_sink: Callable[..., Any]) -> None:
    """A sink that has served and stopped leaves no descriptor open."""
    before = descriptors()
    sink = await make_sink()
    for _ in range(20):
        async with Client(sink.addresses[1], lmtp=True) as client:
            await client.hello()
            await client.deliver("", [OURS], b"x" * 600_000)
    await sink.stop(5)
    await asyncio.sleep(0)
    assert descriptors() <= before

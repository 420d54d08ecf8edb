"""F14: slow clients, silent clients, too many clients."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.rig.lmtp import Client

OURS = "bounces+anna=example.net@bounces.example.com"
MAIL = b"Subject: x\r\n\r\nx\r\n"


async def test_cap(make_sink: Callable[..., Any]) -> None:
    """One connection too many is sent away with 421; when another has ended, the next is served."""
    sink = await make_sink(connections=2)
    async with Client(sink.addresses[0]) as one, Client(sink.addresses[1], lmtp=True):
        async with Client(sink.addresses[0]) as third:
            assert third.banner.startswith("421 4.3.2 ")
            assert await third.reply() == ""
        assert await one.quit() == "221 Bye"
        async with Client(sink.addresses[0]) as fourth:
            assert fourth.banner.startswith("220 ")


@pytest.mark.parametrize("said", [b"", b"NOO", b"MAIL FROM:<"])
async def test_idle(make_sink: Callable[..., Any], said: bytes) -> None:
    """A client that does not finish a command is sent away, and its place is free again."""
    sink = await make_sink(command_seconds=0.1, connections=1)
    async with Client(sink.addresses[0]) as client:
        await client.send(said)
        assert (await client.reply()).startswith("421 4.4.2 ")
        assert await client.reply() == ""
    async with Client(sink.addresses[0]) as client:
        assert client.banner.startswith("220 ")


async def test_slow_content(make_sink: Callable[..., Any], pipeline: Any) -> None:
    """Content that does not come to its end is given up: a reply for each recipient, and the connection is closed."""
    sink = await make_sink(content_seconds=0.1)
    async with Client(sink.addresses[1], lmtp=True) as client:
        await client.hello()
        await client.envelope("", [OURS, "jan@example.pl"])
        await client.cmd("DATA")
        await client.send(b"Subject: x\r\n")
        assert [(await client.reply())[:9] for _ in range(2)] == ["421 4.4.2"] * 2
        assert await client.reply() == ""
    assert not pipeline.flights


async def test_command_timeout_spares_content(make_sink: Callable[..., Any], pipeline: Any) -> None:
    """The time-out of commands does not run while a message is in flight."""
    sink = await make_sink(command_seconds=0.1)
    pipeline.gate.clear()
    async with Client(sink.addresses[1], lmtp=True) as client:
        await client.hello()
        await client.envelope("", [OURS])
        await client.cmd("DATA")
        async with Client(sink.addresses[0]) as idle:
            assert (await idle.reply()).startswith("421 4.4.2 ")
        await client.send(MAIL + b".\r\n")
        await pipeline.started.wait()
        async with Client(sink.addresses[0]) as idle:
            assert (await idle.reply()).startswith("421 4.4.2 ")
        pipeline.gate.set()
        assert await client.reply() == "250 2.0.0 OK"


async def test_lost_in_content(make_sink: Callable[..., Any], pipeline: Any) -> None:
    """A connection that breaks inside the content makes no message, and frees its place."""
    sink = await make_sink(connections=1)
    async with Client(sink.addresses[1], lmtp=True) as client:
        await client.hello()
        await client.envelope("", [OURS])
        await client.cmd("DATA")
        await client.send(b"Subject: x\r\n")
    banner = ""
    while not banner.startswith("220 "):
        async with Client(sink.addresses[0]) as client:
            banner = client.banner
    assert not pipeline.flights


async def test_lost_in_flight(sink: Any, pipeline: Any) -> None:
    """A connection that breaks while the pipeline works leaves the flight unsettled, and left."""
    pipeline.gate.clear()
    async with Client(sink.addresses[1], lmtp=True) as client:
        await client.hello()
        await client.envelope("", [OURS])
        await client.cmd("DATA")
        await client.send(MAIL + b".\r\n")
        await pipeline.started.wait()
    await sink.stop(5)
    assert pipeline.flights[0].left
    assert pipeline.flights[0].settled is None


async def test_endless_commands(sink: Any) -> None:
    """A client that keeps its connection by NOOP alone is sent away in the end."""
    async with Client(sink.addresses[0]) as client:
        await client.hello()
        replies = [await client.cmd("NOOP") for _ in range(101)]
    assert replies[99].startswith("250 ")
    assert replies[100].startswith("421 ")


async def test_idle_after_message(make_sink: Callable[..., Any]) -> None:
    """The time-out of commands runs again once a message is answered."""
    sink = await make_sink(command_seconds=0.1)
    async with Client(sink.addresses[1], lmtp=True) as client:
        await client.hello()
        assert await client.deliver("", [OURS], MAIL) == ["250 2.0.0 OK"]
        assert (await client.reply()).startswith("421 4.4.2 ")


async def test_deaf_client(make_sink: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that never reads its replies is cut in the end; its place is free again."""
    monkeypatch.setattr("bouncemilter.fronts.sink.connection._LINGER", 0.05)
    sink = await make_sink(command_seconds=0.1, connections=1)
    async with Client(sink.addresses[0]) as deaf:
        deaf.writer.write(b"EHLO x\r\n" * 200_000)
        deaf.reader._transport.pause_reading()
        banner = ""
        while not banner.startswith("220 "):
            async with Client(sink.addresses[0]) as client:
                banner = client.banner
            await asyncio.sleep(0.01)

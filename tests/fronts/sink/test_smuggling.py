"""F22, F28: nothing in a message becomes a second one, and nothing in it is harmed."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from bouncemilter import limits
from bouncemilter.fronts.sink import Sink
from bouncemilter.model import Disposition
from tests.rig.lmtp import Client

OURS = "bounces+anna=example.net@bounces.example.com"
SECOND = f"MAIL FROM:<evil@example.org>\r\nRCPT TO:<{OURS}>\r\nDATA\r\nSubject: second\r\n\r\n".encode()


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\n\0.\r\n"])
@pytest.mark.parametrize("lmtp", [False, True])
async def test_smuggling(sink: Sink, pipeline: Any, end: bytes, lmtp: bool) -> None:
    """F22: no dot but that of CRLF.CRLF ends the content; a laxer end would make a second message."""
    async with Client(sink.addresses[int(lmtp)], lmtp=lmtp) as client:
        await client.hello()
        await client.envelope("", [OURS])
        await client.cmd("DATA")
        assert await client.finish(b"Subject: first\r\n\r\nx" + end + SECOND + b".\r\n") == ["250 2.0.0 OK"]
        assert await client.quit() == "221 Bye"
    (flight,) = pipeline.flights
    assert flight.envelope.sender == ""
    assert b"evil@example.org" in flight.head


@pytest.mark.parametrize("length", [998, 1001, 100_000, 400_000])
async def test_long_lines(sink: Sink, pipeline: Any, length: int) -> None:
    """F22: lines of any length, and all octets, come through unharmed."""
    content = (
        bytes(range(256)).replace(b"\r", b"").replace(b"\n", b"") + b"\r\n" + b"\xf3" * length + b"\r\n..\r\n.x\r\n"
    )
    async with Client(sink.addresses[1], lmtp=True) as client:
        await client.hello()
        assert await client.deliver("", [OURS], content) == ["250 2.0.0 OK"]
    assert pipeline.flights[0].head == content


@pytest.mark.parametrize("command", ["BDAT 1000 LAST", "GET / HTTP/1.1", "POST /x HTTP/1.1"])
async def test_not_smtp(sink: Sink, pipeline: Any, command: str) -> None:
    """F22: what follows BDAT or a browser's request is never obeyed: the connection is closed."""
    async with Client(sink.addresses[0]) as client:
        await client.hello()
        await client.send(command.encode() + b"\r\n" + SECOND + b".\r\n")
        assert (await client.reply()).startswith("421 ")
        assert await client.reply() == ""
    assert not pipeline.flights


async def test_command_line_too_long(sink: Sink) -> None:
    """An endless command line is refused, not kept; the next command is answered."""
    async with Client(sink.addresses[0]) as client:
        await client.hello()
        assert (await client.cmd("RCPT TO:<" + "x" * 300_000 + ">")).startswith("500 ")
        assert (await client.cmd("NOOP")).startswith("250 ")


@pytest.mark.parametrize("size", [limits.KEPT_BYTES - 1, limits.KEPT_BYTES, limits.KEPT_BYTES + 1, 20_000_000])
async def test_head(sink: Sink, pipeline: Any, size: int) -> None:
    """F28: the pipeline gets at most the kept octets of a message, and its whole size."""
    content = b"x" * (size - 2) + b"\r\n"
    async with Client(sink.addresses[1], lmtp=True) as client:
        await client.hello()
        assert await client.deliver("", [OURS], content) == ["250 2.0.0 OK"]
    (flight,) = pipeline.flights
    assert (len(flight.head), flight.size) == (min(size, limits.KEPT_BYTES), size)


async def test_whole_passed(make_sink: Callable[..., Any], pipeline: Any, next_server: Any) -> None:
    """F28: a message larger than the kept octets is passed on whole, while others are served."""
    sink = await make_sink(forward_to=next_server.address)
    pipeline.disposition = Disposition.PASS
    line = b"." + b"0123456789abcdef" * 5 + b"\r\n"
    content = b"Subject: big\r\n\r\n" + line * 40_000
    async with Client(sink.addresses[1], lmtp=True) as client, Client(sink.addresses[1], lmtp=True) as other:
        await client.hello()
        passing = asyncio.create_task(client.deliver("", [OURS], content))
        assert (await other.hello()).startswith("250")
        assert await passing == ["250 2.0.0 OK"]
    got = next_server.got[0][2]
    assert hashlib.sha256(got[-len(content) :]).digest() == hashlib.sha256(content).digest()

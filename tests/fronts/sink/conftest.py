"""Sinks over real sockets, and a server that gets what they forward."""

# ruff: noqa: ARG002, N802 (the hooks of aiosmtpd)

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from bouncemilter.fronts.sink import Listener, Protocol, Sink, SinkOptions


@pytest.fixture
async def make_sink(pipeline: Any, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """A function that starts a sink with SMTP and LMTP on loopback; keywords are SinkOptions fields."""
    async with AsyncExitStack() as stack:

        async def make(**options: Any) -> Sink:
            values = {
                "listeners": (Listener(Protocol.SMTP, "inet:127.0.0.1:0"), Listener(Protocol.LMTP, "inet:127.0.0.1:0")),
                "hostname": "sink.example.com",
                "maildir": tmp_path / "passed",
                "hop_key": b"0123456789abcdef",
            } | options
            sink = Sink(SinkOptions(**values), pipeline)
            await sink.start()
            stack.push_async_callback(sink.stop, 0)
            return sink

        yield make


@pytest.fixture
async def sink(make_sink: Callable[..., Any]) -> Sink:
    return await make_sink()


class Next:
    """The server behind the sink: answers with `mail_reply`, `rcpt_reply` and `data_reply` where the test sets them."""

    def __init__(self) -> None:
        self.mail_reply = self.rcpt_reply = self.data_reply = ""
        self.rcpt_replies: dict[str, str] = {}
        """Those that differ, by recipient."""
        self.got: list[tuple[str, list[str], bytes]] = []
        self.address = ""

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if not self.mail_reply:
            envelope.mail_from = address
        return self.mail_reply or "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if reply := self.rcpt_replies.get(address, self.rcpt_reply):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.data_reply:
            return self.data_reply
        self.got.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"


@pytest.fixture
async def next_server() -> AsyncIterator[Next]:
    handler = Next()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, hostname="next.example.com", enable_SMTPUTF8=True, data_size_limit=10**8),
        "127.0.0.1",
        0,
    )
    handler.address = f"inet:127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield handler
    server.close()

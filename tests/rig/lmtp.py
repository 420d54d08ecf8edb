"""A raw SMTP and LMTP client, over TCP and unix sockets: what is sent is what the test says, and each reply is seen."""

import asyncio
import contextlib
from collections.abc import Sequence
from types import TracebackType
from typing import Self

TIMEOUT = 30.0  # seconds for each reply


class Client:
    """One connection. A reply is a text of one or more lines, without the last CRLF.

    `async with Client("inet:127.0.0.1:2525") as client`, or an address as `unix:/path`; `lmtp` decides the greeting
    and how many replies follow the content.
    """

    def __init__(self, address: str, *, lmtp: bool = False) -> None:
        self.address = address
        self.lmtp = lmtp
        self.banner = ""
        self.accepted = 0
        """RCPT commands accepted in this transaction."""

    async def connect(self) -> str:
        """Connect and take the banner."""
        if self.address.startswith("unix:"):
            connection = asyncio.open_unix_connection(self.address.removeprefix("unix:"))
        else:
            host, _, port = self.address.removeprefix("inet:").rpartition(":")
            connection = asyncio.open_connection(host.strip("[]"), int(port))
        self.reader, self.writer = await connection
        self.banner = await self.reply()
        return self.banner

    async def cmd(self, line: str | bytes) -> str:
        """Send one line, and take one reply."""
        await self.send((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
        return await self.reply()

    async def hello(self) -> str:
        """The greeting of the protocol."""
        return await self.cmd(f"{'LHLO' if self.lmtp else 'EHLO'} client.rig.test")

    async def envelope(self, sender: str, recipients: Sequence[str]) -> list[str]:
        """MAIL and RCPT, one after another; the replies."""
        self.accepted = 0
        replies = [await self.cmd(f"MAIL FROM:<{sender}>")]
        for each in recipients:
            replies.append(await self.cmd(f"RCPT TO:<{each}>"))
            self.accepted += replies[-1].startswith("250")
        return replies

    async def data(self, content: bytes) -> list[str]:
        """DATA with `content`, whose lines end in CRLF, made transparent; the replies behind the final dot.

        LMTP: one for each accepted RCPT. A refusal of DATA itself is the only reply.
        """
        answer = await self.cmd("DATA")
        if not answer.startswith("354"):
            return [answer]
        return await self.finish(stuffed(content) + b".\r\n")

    async def finish(self, octets: bytes) -> list[str]:
        """Send the rest of the content as it is, and take the replies behind it."""
        await self.send(octets)
        return [await self.reply() for _ in range(self.accepted if self.lmtp else 1)]

    async def deliver(self, sender: str, recipients: Sequence[str], content: bytes) -> list[str]:
        """A whole message; the replies behind the content."""
        await self.envelope(sender, recipients)
        return await self.data(content)

    async def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        self.writer.write(octets)
        await asyncio.wait_for(self.writer.drain(), TIMEOUT)

    async def reply(self) -> str:
        """The next reply; an empty string where the connection was closed."""
        lines: list[str] = []
        while not lines or lines[-1][3:4] == "-":
            try:
                line = await asyncio.wait_for(self.reader.readline(), TIMEOUT)
            except ConnectionResetError:
                return ""
            if not line:
                return "\n".join(lines)
            lines.append(line.decode().removesuffix("\r\n"))
        return "\n".join(lines)

    async def quit(self) -> str:
        """QUIT; its reply and all that comes until the connection is closed. A reply too many would stand before it."""
        await self.send(b"QUIT\r\n")
        rest = await asyncio.wait_for(self.reader.read(), TIMEOUT)
        return rest.decode().removesuffix("\r\n")

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def stuffed(content: bytes) -> bytes:
    """`content` made transparent (RFC 5321 section 4.5.2) and ended by CRLF."""
    whole = content if content.endswith(b"\r\n") or not content else content + b"\r\n"
    dotted = whole.replace(b"\r\n.", b"\r\n..")
    return b"." + dotted if dotted.startswith(b".") else dotted

"""The SMTP client that hands passed mail to the next server (RFC 5321)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

import aiosmtplib
import structlog

from bouncemilter.endpoint import Endpoint
from bouncemilter.fronts.sink.content import ContentEncoder

CONNECT_SECONDS: Final = 10.0
"""Until the greeting; the server is a neighbour."""
COMMAND_SECONDS: Final = 60.0
"""One reply. The server may scan the content before it answers the final dot."""
_WRITE_BUFFER: Final = 256 * 1024

_log = structlog.get_logger()


class PeerResult(StrEnum):
    """What became of a message."""

    FORWARDED = "forwarded"
    DEFERRED = "deferred"
    """4xx, no connection, or it broke."""
    REFUSED = "refused"
    """5xx."""


class _ReplyError(Exception):
    """A reply other than the one hoped for."""

    def __init__(self, reply: aiosmtplib.SMTPResponse) -> None:
        super().__init__(reply.code)
        self.permanent = 500 <= reply.code < 600


class Peer:
    """One connection for the recipients of one message, made when it is first needed. `server` None: never used."""

    def __init__(self, server: Endpoint | None, hostname: str) -> None:
        self._server = server
        self._hostname = hostname
        self._client: aiosmtplib.SMTP | None = None
        self._down = False

    async def send(
        self, sender: str, recipient: str, pieces: AsyncIterator[bytes], *, smtputf8: bool = False
    ) -> PeerResult:
        """Send one message to one recipient. Network faults are DEFERRED, and so is all that follows them."""
        if self._down:
            return PeerResult.DEFERRED
        try:
            client = self._client = self._client or await self._connect()
            try:
                await self._transaction(client, sender, recipient, pieces, smtputf8=smtputf8)
            except _ReplyError as refusal:
                await self._reset(client)
                return PeerResult.REFUSED if refusal.permanent else PeerResult.DEFERRED
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            _log.warning("forward_failed", front="sink", server=str(self._server), error=type(error).__name__)
            self._down = True
            return PeerResult.DEFERRED
        return PeerResult.FORWARDED

    async def _reset(self, client: aiosmtplib.SMTP) -> None:
        try:
            await client.rset()
        except (aiosmtplib.SMTPException, OSError):
            self._down = True

    async def _connect(self) -> aiosmtplib.SMTP:
        assert self._server is not None
        server = self._server
        # TLS as between MTAs: taken where offered, without a look at the certificate (RFC 7435).
        client = aiosmtplib.SMTP(
            hostname=server.host or None,
            port=server.port or None,
            socket_path=server.path or None,
            local_hostname=self._hostname,
            timeout=CONNECT_SECONDS,
            start_tls=False if server.path else None,
            validate_certs=False,
        )
        await client.connect()
        client.timeout = COMMAND_SECONDS
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
        return client

    async def _transaction(
        self,
        client: aiosmtplib.SMTP,
        sender: str,
        recipient: str,
        pieces: AsyncIterator[bytes],
        *,
        smtputf8: bool,
    ) -> None:
        international = not (sender + recipient).isascii()
        if international and not client.supports_extension("smtputf8"):
            raise _ReplyError(aiosmtplib.SMTPResponse(553, "no SMTPUTF8"))
        options = [b"BODY=8BITMIME"] if client.supports_extension("8bitmime") else []
        if (smtputf8 or international) and client.supports_extension("smtputf8"):
            options.append(b"SMTPUTF8")
        await _expect(client, 250, b"MAIL", b"FROM:<%s>" % sender.encode("utf-8"), *options)
        await _expect(client, 250, b"RCPT", b"TO:<%s>" % recipient.encode("utf-8"))
        await _expect(client, 354, b"DATA")
        await _write(client, pieces)
        await _expect(client, 250, b".")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is None:
            return
        if kind is None and not self._down:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await self._client.quit(timeout=1)
        self._client.close()


async def _expect(client: aiosmtplib.SMTP, code: int, *command: bytes) -> None:
    reply = await client.execute_command(*command)
    if reply.code != code:
        raise _ReplyError(reply)


async def _write(client: aiosmtplib.SMTP, pieces: AsyncIterator[bytes]) -> None:
    """Send the content, with at most `_WRITE_BUFFER` and one piece of it in memory."""
    encoder = ContentEncoder()
    async for piece in pieces:
        _send(client, encoder.feed(piece))
        async with asyncio.timeout(COMMAND_SECONDS):
            while _unsent(client) > _WRITE_BUFFER:  # noqa: ASYNC110  (aiosmtplib has no drain)
                await asyncio.sleep(0.005)
    _send(client, encoder.finish())


def _send(client: aiosmtplib.SMTP, octets: bytes) -> None:
    if client.protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("connection lost")
    client.protocol.write(octets)


def _unsent(client: aiosmtplib.SMTP) -> int:
    if not isinstance(client.transport, asyncio.WriteTransport) or client.transport.is_closing():
        raise aiosmtplib.SMTPServerDisconnected("connection lost")
    return client.transport.get_write_buffer_size()

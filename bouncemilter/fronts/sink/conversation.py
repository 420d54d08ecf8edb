"""One connection of the sink: the commands of SMTP (RFC 5321) and LMTP (RFC 2033) on top of aiosmtpd.

What differs from aiosmtpd: RCPT is answered by form alone, MAIL and RCPT take DSN parameters, DATA reads octets instead
of lines and answers each recipient in LMTP, and no exception's text or permanent refusal comes out of a fault.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiosmtpd.smtp import Session
from prometheus_client import Counter

from bouncemilter.fronts.sink import command
from bouncemilter.fronts.sink.connection import TIMEOUT, Connection, Service
from bouncemilter.fronts.sink.content import ContentDecoder
from bouncemilter.fronts.sink.delivery import Recipient
from bouncemilter.fronts.sink.fault import TEMPORARY, internal_error
from bouncemilter.fronts.sink.forward import Mail
from bouncemilter.fronts.sink.options import Protocol
from bouncemilter.fronts.sink.spool import Spool
from bouncemilter.model import Disposition, Envelope, Front
from bouncemilter.returnpath import Ownership

REJECTED: Final = Counter("bouncemilter_sink_recipients_rejected_total", "RCPT commands refused, by reason", ["reason"])
"""reason: `not_ours`, `syntax`, `too_many`."""
UNFINISHED: Final = Counter(
    "bouncemilter_sink_contents_unfinished_total", "Contents that did not become a message", ["reason"]
)
"""reason: `oversize`, `timeout`, `spool` (no room on the disk), `lost` (the connection broke)."""

MAX_RECIPIENTS: Final = 1000
"""Of one transaction; RFC 5321 section 4.5.3.1.8 asks for 100."""
_READ: Final = 1024 * 1024
"""More than the stream's buffer ever holds (twice `line_length_limit` and one recv), so that a read empties it."""

_OK: Final = "250 2.0.0 OK"
_TOO_BIG: Final = "552 5.3.4 Message too big"

_log = structlog.get_logger()


@dataclass(slots=True)
class Transaction:
    """What is known of a message before its content."""

    sender: str | None = None
    smtputf8: bool = False
    recipients: list[Recipient] = field(default_factory=list)
    forwarded: dict[str, str] = field(default_factory=dict)
    """The attributes of XFORWARD; Postfix resets them with the transaction."""


class Conversation(Connection):
    """An SMTP connection."""

    replies_together = True
    """One reply for all recipients."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._transaction = Transaction()

    def _set_post_data_state(self) -> None:
        """Called by aiosmtpd wherever a transaction ends: at the start, RSET, a greeting, the end of the content."""
        self.envelope = self._create_envelope()
        self._transaction = Transaction()

    # Greeting and small talk

    async def smtp_EHLO(self, hostname: str | None) -> None:  # noqa: N802  (aiosmtpd's name)
        """RFC 5321 section 4.1.1.1."""
        await self._greet(hostname)

    async def smtp_HELO(self, hostname: str | None) -> None:  # noqa: N802
        """RFC 5321 section 4.1.1.1, without extensions."""
        if hostname:
            self._set_post_data_state()
            self._session().host_name = hostname
            await self.push(f"250 {self.hostname}")
        else:
            await self.push("501 5.5.4 Syntax: HELO hostname")

    async def _greet(self, hostname: str | None) -> None:
        if not hostname:
            await self.push("501 5.5.4 Syntax: hostname needed")
            return
        self._set_post_data_state()
        session = self._session()
        session.host_name = hostname
        session.extended_smtp = True
        words = [self.hostname, "PIPELINING", f"SIZE {self.data_size_limit}", "8BITMIME", "SMTPUTF8"]
        if self.trusted:
            words.append("XFORWARD " + " ".join(command.XFORWARD_NAMES))
        await self.push("\r\n".join([*(f"250-{word}" for word in words[:-1]), f"250 {words[-1]}"]))

    async def smtp_VRFY(self, _argument: str | None) -> None:  # noqa: N802
        """RFC 5321 section 7.3: no oracle."""
        await self.push("252 2.5.0 Send some mail, it will be tried")

    async def smtp_EXPN(self, _argument: str | None) -> None:  # noqa: N802
        """Not implemented, like VRFY."""
        await self.push("502 5.5.1 Not implemented")

    async def smtp_HELP(self, _argument: str | None) -> None:  # noqa: N802
        """RFC 5321 section 4.1.1.8."""
        await self.push("214 2.0.0 See RFC 5321 and RFC 2033")

    async def smtp_BDAT(self, _argument: str | None) -> None:  # noqa: N802
        """CHUNKING is not announced: what follows is content, and must not be read as commands."""
        self.hang_up("421 4.5.1 Bad command")

    # A browser was talked into coming here (Postfix's smtpd_forbidden_commands).
    smtp_GET = smtp_POST = smtp_PUT = smtp_CONNECT = smtp_BDAT  # noqa: N815

    async def smtp_XFORWARD(self, argument: str | None) -> None:  # noqa: N802
        """Postfix's XFORWARD_README."""
        if not self.trusted:
            await self.push("550 5.7.0 Not for you")
        elif self._transaction.sender is not None:
            await self.push("503 5.5.1 MAIL transaction in progress")
        else:
            try:
                self._transaction.forwarded |= command.xforward(argument)
            except command.CommandError as error:
                await self.push(str(error))
            else:
                await self.push(_OK)

    # The envelope

    async def smtp_MAIL(self, argument: str | None) -> None:  # noqa: N802
        """RFC 5321 section 4.1.1.2."""
        await self.push(self._mail(argument))

    def _mail(self, argument: str | None) -> str:
        if not self._session().host_name:
            return "503 5.5.1 Say hello first"
        if self._transaction.sender is not None:
            return "503 5.5.1 Nested MAIL command"
        try:
            path = command.path(argument, "FROM:", command.MAIL_PARAMETERS)
            size = command.size(path.parameters)
        except command.CommandError as error:
            return str(error)
        if path.parameters.get("BODY", "7BIT").upper() not in ("7BIT", "8BITMIME"):
            return "501 5.5.4 BODY is 7BIT or 8BITMIME"
        if size > self.service.options.max_message_size:
            return _TOO_BIG
        self._transaction.sender = path.address
        self._transaction.smtputf8 = "SMTPUTF8" in path.parameters
        return "250 2.1.0 OK"

    async def smtp_RCPT(self, argument: str | None) -> None:  # noqa: N802
        """RFC 5321 section 4.1.1.3, answered by form alone: no oracle, and callouts store nothing."""
        await self.push(self._rcpt(argument))

    def _rcpt(self, argument: str | None) -> str:
        if self._transaction.sender is None:
            return "503 5.5.1 MAIL first"
        try:
            path = command.path(argument, "TO:", command.RCPT_PARAMETERS)
        except command.CommandError as error:
            REJECTED.labels("syntax").inc()
            return str(error)
        if len(self._transaction.recipients) >= MAX_RECIPIENTS:
            REJECTED.labels("too_many").inc()
            return "452 4.5.3 Too many recipients"
        ownership = self.service.ownership(path.address)
        if path.address.lower() == "postmaster":  # without a domain: RFC 5321 section 4.5.1
            ownership = Ownership.PASSED
        if ownership is None:
            REJECTED.labels("not_ours").inc()
            return "550 5.1.1 No such address here"
        self._transaction.recipients.append(Recipient(path.address, ownership))
        return "250 2.1.5 OK"

    # The content

    async def smtp_DATA(self, argument: str | None) -> None:  # noqa: N802
        """RFC 5321 section 4.1.1.4, RFC 2033 section 4.2."""
        if argument:
            await self.push("501 5.5.4 Syntax: DATA")
        elif not self._transaction.recipients:
            await self.push("503 5.5.1 No valid recipients")
        else:
            self.busy = True
            try:
                await self._message(self._transaction)
            finally:
                self.busy = False
                self._set_post_data_state()
            if self.service.closing:
                self.hang_up()

    async def _message(self, transaction: Transaction) -> None:
        """Read a message, deal with it, and answer: on each path one reply for each recipient."""
        assert self._timeout_handle is not None
        self._timeout_handle.cancel()
        options = self.service.options
        with Spool(options.max_message_size, options.spool) as spool:
            try:
                async with asyncio.timeout(options.content_seconds):
                    await self.push("354 End data with <CR><LF>.<CR><LF>")
                    await self._read(spool)
            except TimeoutError:
                UNFINISHED.labels("timeout").inc()
                self.hang_up("\r\n".join(self._replies([TIMEOUT] * len(transaction.recipients))))
            except BaseException:
                UNFINISHED.labels("lost").inc()
                raise
            replies = await self._outcome(transaction, spool)
        self._reset_timeout()
        await self.push("\r\n".join(self._replies(replies)))

    async def _read(self, spool: Spool) -> None:
        """Read the content to its end; what was sent behind it goes back to the stream."""
        decoder = ContentDecoder()
        behind: bytes | None = None
        while behind is None:
            piece = await self._reader.read(_READ)
            if not piece:
                raise ConnectionResetError("connection lost")
            content, behind = decoder.feed(piece)
            if content:
                await spool.write(content)
        if behind and not self._reader.at_eof():
            self._reader.feed_data(behind)

    async def _outcome(self, transaction: Transaction, spool: Spool) -> list[str]:
        count = len(transaction.recipients)
        if spool.oversize:
            UNFINISHED.labels("oversize").inc()
            return [_TOO_BIG] * count
        if spool.error:
            UNFINISHED.labels("spool").inc()
            _log.error("spool_failed", front="sink", error=spool.error.strerror)
            return [TEMPORARY] * count
        try:
            dispositions = await self._deliver(transaction, spool)
        except Exception as error:  # noqa: BLE001  (a constant reply for whatever went wrong)
            internal_error(error, "data")
            return [TEMPORARY] * count
        return [TEMPORARY if each is Disposition.TEMPFAIL else _OK for each in dispositions]

    async def _deliver(self, transaction: Transaction, spool: Spool) -> Sequence[Disposition]:
        sender = transaction.sender or ""
        envelope = Envelope(
            front=Front.SINK,
            sender=sender,
            recipients=(),
            received_at=dt.datetime.now(dt.UTC),
            source=command.source(transaction.forwarded),
            client=command.client(transaction.forwarded),
        )
        mail = Mail(sender, spool, spool.head, transaction.smtputf8)
        return await self.service.delivery.deliver(
            envelope, transaction.recipients, mail, together=self.replies_together
        )

    def _replies(self, replies: Sequence[str]) -> Sequence[str]:
        """The replies to send, from those of the recipients: in SMTP one that is true for all of them."""
        return [next((reply for reply in replies if reply != _OK), _OK)]

    def _session(self) -> Session:
        assert self.session is not None
        return self.session


class LmtpConversation(Conversation):
    """An LMTP connection (RFC 2033)."""

    protocol = Protocol.LMTP
    replies_together = False

    async def smtp_LHLO(self, hostname: str | None) -> None:  # noqa: N802
        """RFC 2033 section 4.1."""
        await self._greet(hostname)

    async def smtp_EHLO(self, _hostname: str | None) -> None:  # noqa: N802
        """RFC 2033 section 4.1: HELO and EHLO must not be taken."""
        await self.push("500 5.5.1 This is LMTP, say LHLO")

    async def smtp_HELO(self, _hostname: str | None) -> None:  # noqa: N802
        """As EHLO."""
        await self.push("500 5.5.1 This is LMTP, say LHLO")

    def _replies(self, replies: Sequence[str]) -> Sequence[str]:
        return replies

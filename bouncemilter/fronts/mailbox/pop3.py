"""POP3 (RFC 1939), by the standard library's poplib; its reader of messages is our own.

poplib refuses lines over 2,048 octets, which real mails have, and keeps the whole message in memory.
"""

from __future__ import annotations

import base64
import contextlib
import poplib
import socket
from collections.abc import Iterator, Sequence
from typing import Final

from bouncemilter import limits
from bouncemilter.fronts.mailbox.fault import Fault, MailboxError
from bouncemilter.fronts.mailbox.imap import ANSWER, xoauth2
from bouncemilter.fronts.mailbox.network import Line, check_encryption, connecting, refusal, said, speaking, tls_context
from bouncemilter.fronts.mailbox.options import MailboxOptions, Security
from bouncemilter.fronts.mailbox.secret import Credential
from bouncemilter.fronts.mailbox.source import MessageRef, StoredMessage

_PIECE: Final = 64 * 1024
"""Octets read at once: a line may be as long as the message."""


_LINES: Final = limits.KEPT_BYTES // 2
"""Lines of a body that are asked for: that many are never less than what is kept."""


class _Client(poplib.POP3):
    """poplib on a line that can be cut."""

    def __init__(self, line: Line, options: MailboxOptions) -> None:
        self._line = line
        super().__init__(options.host, options.actual_port, options.timeout)

    def _create_socket(self, timeout: float) -> socket.socket:  # noqa: ARG002  (the line has its own)
        return self._line.connect()


class Pop3Source:
    """A mailbox on a POP3 server. What is deleted goes when the session ends in order."""

    def __init__(self, options: MailboxOptions) -> None:
        self._options = options
        self._place = options.place
        self._line = Line(options)
        self._client: poplib.POP3 | None = None
        self._has_top = False

    def open(self) -> str:
        """Connect and log in."""
        check_encryption(self._options)
        credential = self._options.secret.read()
        with connecting(self._place):
            self._client = client = _Client(self._line, self._options)
            if self._options.security is Security.STARTTLS:
                self._encrypt(client)
        with speaking(self._place, "logging in"):
            self._login(credential)
        with speaking(self._place, "asking what it can"):
            self._has_top = "TOP" in self._capabilities()
        return ""

    def items(self, beyond: str) -> Iterator[MessageRef]:  # noqa: ARG002  (UIDLs have no order)
        """All messages, named by their UIDL (RFC 1939 section 7)."""
        with speaking(self._place, "listing"):
            client = self._pop
            client.sock.sendall(b"UIDL\r\n")
            answer = client.file.readline(_PIECE)
            if not answer.startswith(b"+OK"):
                reason = said(answer or "it hung up")
                raise MailboxError(Fault.SETTING, f"{self._place}: the server gives no UIDL: {reason}")
            pairs = [line.split(None, 1) for line in _content(client.file, ANSWER)]
            found = [
                MessageRef(words[1].strip().decode("latin-1"), int(words[0])) for words in pairs if len(words) == 2
            ]
        yield from found

    def read(self, items: Sequence[MessageRef]) -> list[StoredMessage | None]:
        """Their first octets; the rest is read and dropped."""
        return [self._retrieved(int(item.handle)) for item in items]

    def consume(self, items: Sequence[MessageRef]) -> int:
        """Mark as deleted."""
        with speaking(self._place, "deleting"):
            for item in items:
                self._pop.dele(int(item.handle))
        return len(items)

    def close(self) -> None:
        """QUIT: only now is anything deleted. MailboxError where the server did not say that it did."""
        client, self._client = self._client, None
        try:
            if client is not None and not self._line.is_cut:
                with speaking(self._place, "ending the session"):
                    client.quit()
        finally:
            if client is not None:
                with contextlib.suppress(Exception):
                    client.close()
            self._line.close()

    def abort(self) -> None:
        """Cut the connection: nothing is deleted."""
        self._line.cut()

    @property
    def _pop(self) -> poplib.POP3:
        if self._client is None:
            raise MailboxError(Fault.BROKEN_OFF, f"{self._place}: closed")
        return self._client

    def _encrypt(self, client: poplib.POP3) -> None:
        if "STLS" not in {name.upper() for name in client.capa()}:
            raise MailboxError(Fault.UNREACHABLE, f"{self._place}: the server offers no STLS")
        client.stls(tls_context(self._options))

    def _login(self, credential: Credential) -> None:
        client, user = self._pop, self._options.user
        client.encoding = "utf-8"  # of what we send (RFC 6856)
        try:
            if credential.is_token:
                self._show_token(credential.text)
            else:
                client.user(user)
                client.pass_(credential.text)
        except poplib.error_proto as error:
            raise refusal(self._place, "login refused", error, Fault.LOGIN) from None

    def _show_token(self, token: str) -> None:
        """SASL XOAUTH2 (RFC 5034), without initial response: a token is longer than a command line may be."""
        self._said("AUTH XOAUTH2")
        answer = self._said(base64.b64encode(xoauth2(self._options.user, token)).decode("ascii"))
        if not answer.startswith(b"+OK"):
            self._said("")  # the server's reasons want an answer before its refusal
            raise poplib.error_proto(b"-ERR the token is refused")

    def _capabilities(self) -> frozenset[str]:
        """What the server offers (RFC 2449); nothing where it does not know the question."""
        try:
            return frozenset(name.upper() for name in self._pop.capa())
        except poplib.error_proto as error:
            if b"EOF" in bytes(str(error), "ascii", "replace"):
                raise
            return frozenset()

    def _said(self, line: str) -> bytes:
        """Say a line, and return its answer, `+OK …` or `+ …`. Raises poplib.error_proto for any other."""
        client = self._pop
        client.sock.sendall(f"{line}\r\n".encode())
        answer: bytes = client.file.readline(_PIECE)
        if not answer.startswith((b"+OK", b"+ ")) and answer.rstrip() != b"+":
            raise poplib.error_proto(answer or b"-ERR EOF")
        return answer

    def _retrieved(self, number: int) -> StoredMessage | None:
        with speaking(self._place, "fetching"):
            client = self._pop
            # RETR marks a message as read on many servers; TOP does not, and spares the rest of a large one.
            client.sock.sendall(b"TOP %d %d\r\n" % (number, _LINES) if self._has_top else b"RETR %d\r\n" % number)
            answer = client.file.readline(_PIECE)
            if answer.startswith(b"-ERR"):
                return None
            if not answer.startswith(b"+OK"):
                raise poplib.error_proto(answer)
            kept = bytearray()
            size = 0
            for piece in _content(client.file):
                size += len(piece)
                if len(kept) < limits.KEPT_BYTES:
                    kept += piece[: limits.KEPT_BYTES - len(kept)]
            return StoredMessage(bytes(kept), size, None)


def _content(stream: object, most: int | None = None) -> Iterator[bytes]:
    """A multi-line answer (RFC 1939 section 3) without its dots, in pieces of lines; of `most` octets."""
    begins, octets = True, 0
    while True:
        piece: bytes = stream.readline(_PIECE)  # type: ignore[attr-defined]
        if not piece:
            raise poplib.error_proto(b"-ERR EOF")
        if begins and piece.rstrip(b"\r\n") == b".":
            return
        octets += len(piece)
        if most is not None and octets > most:
            raise poplib.error_proto(b"-ERR an answer without end")
        yield piece[1:] if begins and piece.startswith(b".") else piece
        begins = piece.endswith(b"\n")

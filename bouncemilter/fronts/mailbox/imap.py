"""IMAP (RFC 3501, RFC 9051), by the standard library's imaplib.

imap-tools stands on imaplib, too, but fetches messages whole and parses them by the standard library's e-mail parser,
which hostile mail keeps busy for seconds. Only the first limits.KEPT_BYTES octets are wanted here, as they are.
"""

from __future__ import annotations

import binascii
import contextlib
import imaplib
import re
import socket
from collections.abc import Iterator, Sequence
from typing import Any, Final

from bouncemilter import limits
from bouncemilter.fronts.mailbox.fault import Fault, MailboxError
from bouncemilter.fronts.mailbox.network import Line, check_encryption, connecting, refusal, said, speaking, tls_context
from bouncemilter.fronts.mailbox.options import After, MailboxOptions, Security
from bouncemilter.fronts.mailbox.secret import Credential
from bouncemilter.fronts.mailbox.source import MessageRef, StoredMessage
from bouncemilter.report import moment

_BLOCK: Final = 2_000
"""Messages in one list: imaplib keeps a whole answer in memory."""
_LARGEST: Final = limits.KEPT_BYTES + 4096
"""Octets of one literal; a server that sends more than was asked for is not ours to feed."""
ANSWER: Final = 64 * 1024 * 1024
"""Octets of the answer to one command; 32 messages of limits.KEPT_BYTES are 16 MiB."""
_UID: Final = re.compile(rb"\bUID (\d{1,10})\b")
_DATE: Final = re.compile(rb'\bINTERNALDATE "([^"]{1,40})"')
_SIZE: Final = re.compile(rb"\bRFC822\.SIZE (\d{1,12})\b")
_SEPARATOR: Final = re.compile(rb'\([^)]*\) "\\?([!-~])" ')
_EMPTY_BODY: Final = re.compile(rb'BODY\[\](?:<0>)? (?:NIL|"")')


class _Client(imaplib.IMAP4):
    """imaplib on a line that can be cut, and with an end to what one answer may hold: it keeps all of it in memory."""

    _held = 0

    def __init__(self, line: Line, options: MailboxOptions) -> None:
        self._line = line
        super().__init__(options.host, options.actual_port, options.timeout)
        self._encoding = "utf-8"  # LOGIN has ASCII; what servers take beyond it is UTF-8

    def _create_socket(self, timeout: float | None) -> socket.socket:  # noqa: ARG002  (the line has its own)
        return self._line.connect()

    def send(self, data: Any) -> None:
        """Say something: the next answer begins."""
        self._held = 0
        super().send(data)

    def read(self, size: int) -> bytes:
        """Read `size` octets."""
        if size > _LARGEST:
            raise self.abort(f"a literal of {size} octets")
        return self._counted(super().read(size))

    def readline(self) -> bytes:
        """Read a line."""
        return self._counted(super().readline())

    def _counted(self, octets: bytes) -> bytes:
        self._held += len(octets)
        if self._held > ANSWER:
            raise self.abort(f"an answer of more than {ANSWER} octets")
        return octets


class ImapSource:
    """A folder on an IMAP server. `\\Seen` is never set; without an action the folder is opened read-only."""

    def __init__(self, options: MailboxOptions) -> None:
        self._options = options
        self._place = options.place
        self._line = Line(options)
        self._client: imaplib.IMAP4 | None = None
        self._offered: frozenset[str] = frozenset()
        self._target = ""
        self._messages = 0

    def open(self) -> str:
        """Connect, log in, open the folder; its UIDVALIDITY."""
        check_encryption(self._options)
        credential = self._options.secret.read()
        with connecting(self._place):
            self._client = client = _Client(self._line, self._options)
            if self._options.security is Security.STARTTLS:
                self._encrypt(client)
        with speaking(self._place, "logging in"):
            self._login(credential)
            self._offered = self._capabilities()
            if self._options.after is After.MOVE:
                self._prepare_target()
            return self._select()

    def items(self, beyond: str) -> Iterator[MessageRef]:
        """All messages by rising UID, or those behind the UID `beyond`.

        By sequence numbers, which stay as they are while nothing but FETCH is said (RFC 3501 section 7.4.1).
        """
        if beyond:
            known = int(beyond)
            with speaking(self._place, "listing"):
                found = self._listed(*self._imap.uid("FETCH", f"{known + 1}:*", "(UID INTERNALDATE)"))
            yield from (each for each in found if int(each.handle) > known)  # `n:*` always has the last one
            return
        for first in range(1, self._messages + 1, _BLOCK):
            last = min(first + _BLOCK - 1, self._messages)
            with speaking(self._place, "listing"):
                found = self._listed(*self._imap.fetch(f"{first}:{last}", "(UID INTERNALDATE)"))
            yield from found
            if not found:  # the server has said of more than there are
                return

    def read(self, items: Sequence[MessageRef]) -> list[StoredMessage | None]:
        """Their first octets by BODY.PEEK, which sets no flag."""
        wanted = f"(UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.{limits.KEPT_BYTES}>)"
        with speaking(self._place, "fetching"):
            kind, data = self._imap.uid("FETCH", _set(items), wanted)
            if kind != "OK":
                raise MailboxError(Fault.BROKEN_OFF, f"{self._place}: FETCH: {said(data[0])}")
            found = dict(_messages(data))
        return [found.get(int(item.handle)) for item in items]

    def consume(self, items: Sequence[MessageRef]) -> int:
        """Move or delete; nobody else's deleted messages are touched."""
        uids, done = _set(items), len(items)
        if self._options.after is After.MOVE:
            with speaking(self._place, f"moving to {self._options.move_to}"):
                if "MOVE" in self._offered:  # RFC 6851
                    self._done("UID MOVE", self._imap.uid("MOVE", uids, self._target))
                    return done
                uids, done = self._unmarked(uids)
                if not done:
                    return 0
                self._done("UID COPY", self._imap.uid("COPY", uids, self._target))
        with speaking(self._place, "deleting"):
            self._done("UID STORE", self._imap.uid("STORE", uids, "+FLAGS.SILENT", r"(\Deleted)"))
            # A bare EXPUNGE would take what others have marked (RFC 4315): without UIDPLUS they stay marked.
            if "UIDPLUS" in self._offered:
                self._done("UID EXPUNGE", self._imap.uid("EXPUNGE", uids))
        return done

    def close(self) -> None:
        """Log out. UNSELECT or CLOSE would expunge; LOGOUT does not."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):
                if not self._line.is_cut:
                    client.logout()
            with contextlib.suppress(Exception):
                client.shutdown()
        self._line.close()

    def abort(self) -> None:
        """Cut the connection."""
        self._line.cut()

    @property
    def _imap(self) -> imaplib.IMAP4:
        if self._client is None:
            raise MailboxError(Fault.BROKEN_OFF, f"{self._place}: closed")
        return self._client

    def _encrypt(self, client: imaplib.IMAP4) -> None:
        if "STARTTLS" not in client.capabilities:
            raise MailboxError(Fault.UNREACHABLE, f"{self._place}: the server offers no STARTTLS")
        client.starttls(tls_context(self._options))

    def _login(self, credential: Credential) -> None:
        user = self._options.user
        offered = self._capabilities()
        try:
            if credential.is_token:
                if "AUTH=XOAUTH2" not in offered:
                    raise MailboxError(Fault.SETTING, f"{self._place}: the server takes no OAuth token (XOAUTH2)")
                _authenticate(self._imap, "XOAUTH2", xoauth2(user, credential.text))
            elif "AUTH=PLAIN" in offered:  # RFC 4616: UTF-8, where LOGIN has ASCII
                _authenticate(self._imap, "PLAIN", f"\0{user}\0{credential.text}".encode())
            elif "LOGINDISABLED" in offered:
                raise MailboxError(Fault.SETTING, f"{self._place}: the server takes passwords only over TLS")
            else:
                self._imap.login(_in_quotes(user), credential.text)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise refusal(self._place, "login refused", error, Fault.LOGIN) from None

    def _capabilities(self) -> frozenset[str]:
        """What the server offers now: it changes with TLS and login."""
        _, data = self._imap.capability()
        return frozenset(b" ".join(each for each in data if each).decode("ascii", "replace").upper().split())

    def _prepare_target(self) -> None:
        """Find the folder to move to; make it where it is missing."""
        for name in self._spellings(self._options.move_to):
            self._target = _quoted(name)
            if self._imap.status(self._target, "(MESSAGES)")[0] == "OK":
                return
        kind, data = self._imap.create(self._target)
        if kind == "OK":
            self._imap.subscribe(self._target)
        elif b"EXISTS" not in bytes(data[0] or b"").upper():  # it may be there for moving to only
            raise refusal(self._place, f"can't make {self._options.move_to}", data[0], Fault.SETTING)

    def _spellings(self, name: str) -> list[str]:
        """How a folder may be called: as written, and by the server's own separator in place of a slash."""
        if "/" not in name:
            return [name]
        _, data = self._imap.list('""', '""')
        found = _SEPARATOR.search(data[0]) if data and isinstance(data[0], bytes) else None
        separator = found[1].decode("ascii") if found else "/"
        return [name] if separator in name else [name, name.replace("/", separator)]

    def _select(self) -> str:
        leaving = self._options.after is After.LEAVE
        data: Sequence[Any] = [b""]
        for name in self._spellings(self._options.folder):
            try:
                kind, data = self._imap.select(_quoted(name), readonly=leaving)
            except imaplib.IMAP4.readonly:
                raise MailboxError(Fault.SETTING, f"{self._place}: nothing may be moved or deleted there") from None
            if kind == "OK":
                break
        else:
            raise refusal(self._place, "no such folder", data[0], Fault.SETTING)
        self._messages = int(data[0] or 0)
        _, validity = self._imap.response("UIDVALIDITY")
        return (validity[0] or b"").decode("ascii", "replace") if validity else ""

    def _unmarked(self, uids: str) -> tuple[str, int]:
        """Those that are not marked as deleted, and how many: what is marked was copied by an earlier pass."""
        kind, data = self._imap.uid("SEARCH", "UID", uids, "UNDELETED")
        self._done("UID SEARCH", (kind, data))
        found = b" ".join(each for each in data if isinstance(each, bytes)).split()
        return ",".join(str(int(each)) for each in found), len(found)

    def _listed(self, kind: str, data: Sequence[object]) -> list[MessageRef]:
        if kind != "OK":
            raise MailboxError(Fault.BROKEN_OFF, f"{self._place}: FETCH: {said(data[0] if data else '')}")
        found = []
        for line in data:
            if isinstance(line, bytes) and (uid := _UID.search(line)):
                date = _DATE.search(line)
                number = int(uid[1])
                found.append(MessageRef(str(number), number, moment.of_internaldate(date[1]) if date else None))
        return found

    def _done(self, command: str, answer: tuple[str, Sequence[object]]) -> None:
        kind, data = answer
        if kind != "OK":
            raise refusal(self._place, command, data[0] if data else "", Fault.SETTING)


def xoauth2(user: str, token: str) -> bytes:
    """The SASL XOAUTH2 initial response."""
    return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()


def encoded_name(name: str) -> str:
    """A folder's name in modified UTF-7 (RFC 3501 section 5.1.3)."""
    found: list[str] = []
    held = ""
    for char in f"{name}\0":
        if not (" " <= char <= "~" or char == "\0"):
            held += char
            continue
        if held:
            shifted = binascii.b2a_base64(held.encode("utf-16-be"), newline=False).decode("ascii")
            found.append(f"&{shifted.rstrip('=').replace('/', ',')}-")
            held = ""
        found.append("&-" if char == "&" else char)
    return "".join(found).removesuffix("\0")


def _quoted(name: str) -> str:
    """A folder's name as a quoted string."""
    return _in_quotes(encoded_name(name))


def _in_quotes(text: str) -> str:
    """A quoted string (RFC 3501 section 4.3)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _authenticate(client: imaplib.IMAP4, mechanism: str, response: bytes) -> None:
    """SASL with one response; after a refusal the server's words are acknowledged by an empty one."""
    responses = iter((response,))
    client.authenticate(mechanism, lambda _: next(responses, b""))


def _set(items: Sequence[MessageRef]) -> str:
    return ",".join(str(item.handle) for item in items)


def _messages(data: Sequence[object]) -> Iterator[tuple[int, StoredMessage]]:
    """UID and message of each message of a FETCH answer, in whatever order its items stand."""
    said_so_far, body = b"", None
    for piece in (*data, None):
        if isinstance(piece, tuple) or piece is None:
            if found := _message(said_so_far, body):
                yield found
            said_so_far, body = (bytes(piece[0]), bytes(piece[1])) if isinstance(piece, tuple) else (b"", None)
        elif isinstance(piece, bytes):
            if _UID.search(piece) and _EMPTY_BODY.search(piece) and (found := _message(piece, b"")):
                yield found
            said_so_far += b" " + piece
    return


def _message(line: bytes, body: bytes | None) -> tuple[int, StoredMessage] | None:
    uid, date, size = _UID.search(line), _DATE.search(line), _SIZE.search(line)
    if uid is None or body is None:
        return None
    octets = max(int(size[1]) if size else 0, len(body))
    head = body[: limits.KEPT_BYTES]
    return int(uid[1]), StoredMessage(head, octets, moment.of_internaldate(date[1]) if date else None)

"""A remote mail server on loopback that answers as the test says and remembers what it took."""

import contextlib
import socketserver
from collections.abc import Mapping
from dataclasses import dataclass

from tests.rig.thread import ServerThread

OK = "250 2.0.0 OK"


@dataclass(frozen=True, slots=True)
class Mail:
    """A message that the peer took: the envelope, with the ESMTP parameters as written, and the bytes with CRLF."""

    sender: str
    mail_options: str
    recipients: tuple[str, ...]
    message: bytes


class Peer(ServerThread):
    """Speaks SMTP, or LMTP, on `port` of 127.0.0.1 in threads of its own while the context lasts.

    `rcpt`: recipient → the reply to its RCPT; `data`: recipient → the reply after the message. SMTP has one reply
    for all: that of the first recipient which has one. The rest gets 250. Both may be changed at any time.
    `accepted` lists the messages that at least one recipient took.
    """

    def __init__(
        self, *, rcpt: Mapping[str, str] | None = None, data: Mapping[str, str] | None = None, lmtp: bool = False
    ) -> None:
        self.rcpt = dict(rcpt or {})
        self.data = dict(data or {})
        self.lmtp = lmtp
        self.accepted: list[Mail] = []
        super().__init__(_Server(self))

    @property
    def transport(self) -> str:
        """Postfix's transport to it."""
        return f"{'lmtp:inet' if self.lmtp else 'smtp'}:[127.0.0.1]:{self.port}"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, peer: Peer) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.peer = peer


class _Session(socketserver.StreamRequestHandler):
    server: _Server
    timeout = 60

    def handle(self) -> None:
        self.peer = self.server.peer
        self._reset()
        with contextlib.suppress(OSError):  # the other side may leave at any time
            self._say("220 peer.rig.test ESMTP")
            while (line := self.rfile.readline()) and self._obey(line.decode("utf-8", "surrogateescape").strip()):
                pass

    def _obey(self, line: str) -> bool:
        """Answer one command; false ends the session."""
        match line[:4].upper():
            case "EHLO" | "LHLO":
                self._say(
                    "250-peer.rig.test\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES"
                )
            case "MAIL":
                self._reset()
                self.sender, self.options = _path(line)
                self._say(OK)
            case "RCPT":
                recipient, _ = _path(line)
                reply = self.peer.rcpt.get(recipient, OK)
                if reply.startswith("2"):
                    self.recipients.append(recipient)
                self._say(reply)
            case "DATA":
                self._take_message()
            case "QUIT":
                self._say("221 2.0.0 bye")
                return False
            case _:
                self._say(OK)
        return True

    def _take_message(self) -> None:
        if not self.recipients:
            self._say("554 5.5.1 no valid recipients")
            return
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b"."))
        replies = [self.peer.data.get(each, OK) for each in self.recipients]
        if not self.peer.lmtp:
            replies = [next((reply for reply in replies if reply != OK), OK)] * len(replies)
        taken = [each for each, reply in zip(self.recipients, replies, strict=True) if reply.startswith("2")]
        if taken:
            self.peer.accepted.append(Mail(self.sender, self.options, tuple(taken), b"".join(lines)))
        for reply in replies if self.peer.lmtp else replies[:1]:
            self._say(reply)

    def _reset(self) -> None:
        self.sender = self.options = ""
        self.recipients: list[str] = []

    def _say(self, reply: str) -> None:
        self.wfile.write(reply.encode() + b"\r\n")


def _path(line: str) -> tuple[str, str]:
    """The address between the angle brackets, and the parameters behind it."""
    address, _, options = line.partition("<")[2].partition(">")
    return address, options.strip()

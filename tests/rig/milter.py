"""A milter client that speaks the raw protocol, as an MTA does: for driving the daemon, also in ways no MTA would.

Blocking sockets; every wait is bounded. The packets are those of libmilter's mfdef.h.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

ACCEPT, CONTINUE, DISCARD, REJECT, TEMPFAIL, SKIP, REPLYCODE = "acdrtsy"

ALL_ACTIONS = 0x1FF
ALL_STEPS = 0x1FFFFF
DELRCPT, NO_SKIP = 0x08, ALL_STEPS & ~0x400
OLD_ACTIONS, OLD_STEPS = 0x3F, 0x7F  # protocol 2
CHUNK = 65535

# Which reply a step goes without, once that was agreed.
_NO_REPLY = {"L": 0x80, "C": 0x1000, "H": 0x2000, "M": 0x4000, "R": 0x8000, "T": 0x10000, "N": 0x40000, "B": 0x80000}
_NOT_SENT = {"C": 0x01, "H": 0x02, "M": 0x04, "R": 0x08, "B": 0x10, "L": 0x20, "N": 0x40, "T": 0x200}
_MODIFICATIONS = "+-2behimlq"


class ClosedError(Exception):
    """The daemon closed the connection."""


@dataclass
class Reply:
    """The answer to one packet."""

    code: str
    text: str = ""
    """Of a REPLYCODE: `451 4.3.0 …`."""
    modifications: list[tuple[str, bytes]] = field(default_factory=list)
    """(kind, data), in order; kinds as in mfdef.h: `-` delrcpt, `h` addheader, `m` chgheader."""

    @property
    def deferred(self) -> bool:
        """A temporary failure, with or without a text."""
        return self.code == TEMPFAIL or (self.code == REPLYCODE and self.text.startswith("4"))

    @property
    def deleted(self) -> list[str]:
        return [data.rstrip(b"\0").decode() for kind, data in self.modifications if kind == "-"]

    @property
    def senders(self) -> list[str]:
        """What the envelope sender was changed to (SMFIR_CHGFROM)."""
        return [data.split(b"\0")[0].decode() for kind, data in self.modifications if kind == "e"]

    @property
    def added(self) -> list[tuple[str, str]]:
        return [_pair(data) for kind, data in self.modifications if kind == "h"]

    @property
    def changed(self) -> list[tuple[int, str, str]]:
        return [
            (struct.unpack("!I", data[:4])[0], *_pair(data[4:])) for kind, data in self.modifications if kind == "m"
        ]


class MilterClient:
    """One session. Each step returns its Reply, or None where none is due."""

    def __init__(self, path: str, timeout: float = 20.0) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise
        self.actions = 0
        self.steps = 0
        self.symlists = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def raw(self, data: bytes) -> None:
        """Bytes as they are, however wrong."""
        self._socket.sendall(data)

    def packet(self, command: str, data: bytes = b"") -> None:
        self.raw(struct.pack("!I", len(data) + 1) + command.encode() + data)

    def step(self, command: str, data: bytes = b"") -> Reply | None:
        """Send a step unless it was agreed to leave it out, and read the reply where one is due."""
        if self.steps & _NOT_SENT.get(command, 0):
            return None
        self.packet(command, data)
        return None if self.steps & _NO_REPLY.get(command, 0) else self.reply()

    def reply(self) -> Reply:
        modifications: list[tuple[str, bytes]] = []
        while True:
            code, data = self.read()
            if code in _MODIFICATIONS:
                modifications.append((code, data))
            elif code != "p":
                return Reply(code, data.rstrip(b"\0").decode(), modifications)

    def read(self) -> tuple[str, bytes]:
        """One packet; ClosedError at the end of the connection."""
        length = struct.unpack("!I", self._exactly(4))[0]
        packet = self._exactly(length)
        return chr(packet[0]), packet[1:]

    def at_end(self) -> bool:
        """Whether the daemon closes the connection without another word."""
        try:
            return self._socket.recv(1) == b""
        except ConnectionError:
            return True

    def negotiate(self, version: int = 6, actions: int = ALL_ACTIONS, steps: int = ALL_STEPS) -> None:
        self.packet("O", struct.pack("!III", version, actions, steps))
        code, data = self.read()
        assert code == "O", (code, data)
        _, self.actions, self.steps = struct.unpack("!III", data[:12])
        self.symlists = data[12:]
        assert not self.actions & ~actions
        assert not self.steps & ~steps

    def macros(self, command: str, **values: str) -> None:
        self.packet("D", command.encode() + b"".join(_z(name) + _z(value) for name, value in values.items()))

    def connect(self, hostname: str = "mx.example.net", address: str = "192.0.2.7", port: int = 4711) -> Reply | None:
        family = b"6" if ":" in address else b"4"
        return self.step("C", _z(hostname) + family + struct.pack("!H", port) + _z(address))

    def helo(self, name: str = "mx.example.net") -> Reply | None:
        return self.step("H", _z(name))

    def mail(self, sender: str | bytes = "<>", *parameters: str) -> Reply | None:
        return self.step("M", _z(sender) + b"".join(map(_z, parameters)))

    def rcpt(self, recipient: str | bytes, *parameters: str) -> Reply | None:
        return self.step("R", _z(recipient) + b"".join(map(_z, parameters)))

    def data(self) -> Reply | None:
        return self.step("T")

    def header(self, name: str | bytes, value: str | bytes) -> Reply | None:
        return self.step("L", _z(name) + _z(value))

    def eoh(self) -> Reply | None:
        return self.step("N")

    def body(self, chunk: bytes) -> Reply | None:
        return self.step("B", chunk)

    def eom(self) -> Reply:
        self.packet("E")
        return self.reply()

    def abort(self) -> None:
        self.packet("A")

    def quit(self) -> None:
        self.packet("Q")

    def open(self, **offer: int) -> Self:
        """Negotiate, connect and greet."""
        self.negotiate(**offer)
        for reply in (self.connect(), self.helo()):
            assert reply is None or reply.code == CONTINUE
        return self

    def message(self, recipients: list[str], sender: str = "<>", mail: bytes = b"Subject: x\r\n\r\nbody\r\n") -> Reply:
        """A whole message, as an MTA sends it: stops at the first answer that ends it; returns that answer."""
        head, _, body = mail.partition(b"\r\n\r\n")
        steps = [("M", _z(sender)), *(("R", _z(each)) for each in recipients), ("T", b"")]
        space = b" " if self.steps & 0x100000 else b""
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            steps.append(("L", _z(name) + _z(space + value.removeprefix(b" "))))
        steps.append(("N", b""))
        steps += [("B", body[start : start + CHUNK]) for start in range(0, len(body), CHUNK)]
        for command, data in steps:
            reply = self.step(command, data)
            if reply is not None and reply.code == SKIP:
                break
            if reply is not None and reply.code != CONTINUE:
                return reply
        return self.eom()

    def _exactly(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            piece = self._socket.recv(length - len(data))
            if not piece:
                raise ClosedError
            data += piece
        return bytes(data)


def _z(text: str | bytes) -> bytes:
    return (text.encode() if isinstance(text, str) else text) + b"\0"


def _pair(data: bytes) -> tuple[str, str]:
    name, value = data.split(b"\0")[:2]
    return name.decode(), value.decode()

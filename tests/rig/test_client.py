"""The SMTP client of the tests."""

from __future__ import annotations

import smtplib
import socketserver
import threading

import pytest

from tests.rig import client


class Deaf(socketserver.StreamRequestHandler):
    """A server that takes a message and never answers it; what came after the message is in `rest`."""

    rest = b""

    def handle(self) -> None:
        self.wfile.write(b"220 deaf.test\r\n")
        while (line := self.rfile.readline()) and not line.startswith(b"DATA"):
            self.wfile.write(b"250 OK\r\n")
        self.wfile.write(b"354 go on\r\n")
        type(self).rest = self.rfile.read()


def test_interrupted_amid_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C amid a message closes the connection at once: no QUIT, whose answer would never come."""

    def interrupted(smtp: smtplib.SMTP, _message: bytes) -> client.Reply:
        smtp.docmd("DATA")
        raise KeyboardInterrupt

    monkeypatch.setattr(client, "_data", interrupted)
    monkeypatch.setattr(client, "TIMEOUT", 5)
    with socketserver.TCPServer(("127.0.0.1", 0), Deaf) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            client.send(server.server_address[1], "a@own.test", ["b@own.test"], b"x")
        thread.join()
    assert Deaf.rest == b""

"""What the milter front is told by the daemon."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from bouncemilter import limits


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a milter listens, in libmilter's notation."""

    path: Path | None
    """The unix socket; None for TCP."""
    host: str = ""
    port: int = 0
    family: socket.AddressFamily = socket.AF_UNIX

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """`unix:PATH`, `local:PATH`, `PATH`, `inet:PORT@HOST` or `inet6:PORT@HOST`; ValueError otherwise."""
        scheme, colon, rest = text.partition(":")
        if not colon and text.startswith("/"):
            return cls(Path(text))
        if scheme in ("unix", "local") and rest.startswith("/"):
            return cls(Path(rest))
        port, at, host = rest.partition("@")
        if scheme in ("inet", "inet6") and at and host and port.isascii() and port.isdigit():
            family = socket.AF_INET6 if scheme == "inet6" else socket.AF_INET
            return cls(None, host.strip("[]"), int(port), family)
        raise ValueError(f"{text!r} is no milter socket: unix:/PATH or inet:PORT@HOST is expected")

    def connect(self, timeout: float) -> socket.socket:
        """A connection to whoever listens there; OSError where nobody does. `timeout` in seconds."""
        if self.path is None:
            return socket.create_connection((self.host, self.port), timeout)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(timeout)
            connection.connect(str(self.path))
        except OSError:
            connection.close()
            raise
        return connection


@dataclass(frozen=True, slots=True)
class MilterOptions:
    """Plain values; the defaults suit a Postfix on the same host."""

    socket: str
    """`unix:/PATH` or `inet:PORT@HOST`. Over TCP every message that is read costs some 40 ms more."""
    socket_mode: int = 0o660
    """Permissions of the unix socket: the MTA writes to it, nobody else."""
    socket_group: str | int | None = None
    """Group of the unix socket, by name or number; None leaves it as it was made."""
    process_timeout: float = 20.0
    """Seconds for one message from its end to its commit; then TEMPFAIL. Postfix itself waits for 300."""
    idle_timeout: int = 600
    """Seconds without a packet after which a session is dropped. Postfix waits 300 s for its own clients, and for so
    long a kept session is rightly silent."""
    messages: int = limits.CONNECTIONS
    """Messages of ours that are held in memory at once; see `admission`."""

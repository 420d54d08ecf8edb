"""Where somebody listens, in the notation of the configuration: `unix:/absolute/path` or `inet:HOST:PORT`. A leaf."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import socket
from dataclasses import dataclass

_INET = re.compile(r"inet:(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(?P<port>0|[1-9][0-9]{0,4})\Z")
_SUN_PATH = 107  # sizeof(sockaddr_un.sun_path) - 1 on Linux, unix(7)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A unix socket, or a port of a host."""

    path: str = ""
    """Of the unix socket, absolute; empty for TCP."""
    host: str = ""
    """A name in lower case, or an address without brackets."""
    port: int = 0
    """0 where any free port will do."""

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read the notation. Raises ValueError, whose text says how to write it."""
        if text.startswith("unix:"):
            return cls(path=_path(text.removeprefix("unix:")))
        found = _INET.match(text)
        if found is None or int(found["port"]) > 65535 or not _is_host(found["host"]):
            raise ValueError("write unix:/absolute/path or inet:HOST:PORT (inet:127.0.0.1:2424, inet:[::1]:2424)")
        return cls(host=found["host"].strip("[]").lower(), port=int(found["port"]))

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"inet:[{self.host}]:{self.port}" if ":" in self.host else f"inet:{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether only this host reaches it: a unix socket, or a loopback address."""
        return bool(self.path) or self.host in ("localhost", "::1") or self.host.startswith("127.")

    def clashes_with(self, other: Endpoint) -> bool:
        """Whether two can't be open at once, or might not: a name may stand for any address."""
        if self.path or other.path:
            return os.path.normpath(self.path) == os.path.normpath(other.path)
        apart = _is_one_address(self.host) and _is_one_address(other.host) and self.host != other.host
        return self.port == other.port and not apart

    def connect(self, timeout: float) -> socket.socket:
        """A connection to whoever listens there; OSError where nobody does. `timeout` in seconds."""
        if not self.path:
            return socket.create_connection((self.host, self.port), timeout)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(timeout)
            connection.connect(self.path)
        except OSError:
            connection.close()
            raise
        return connection

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The same without a thread: a connection for reading and writing. OSError where nobody listens."""
        if self.path:
            return await asyncio.open_unix_connection(self.path)
        return await asyncio.open_connection(self.host, self.port)


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError("a unix socket needs an absolute path: unix:/run/bouncemilter/lmtp.sock")
    if len(os.fsencode(text)) > _SUN_PATH:
        raise ValueError(f"the path of a unix socket has at most {_SUN_PATH} octets")
    return text


def _is_host(text: str) -> bool:
    try:
        return not text.startswith("[") or bool(ipaddress.IPv6Address(text[1:-1]))
    except ValueError:
        return False


def _is_one_address(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False

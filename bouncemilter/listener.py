"""Opening sockets to listen on: what a dead process left goes, what a living one uses stays."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from pathlib import Path
from typing import Final

from bouncemilter.endpoint import Endpoint

BACKLOG: Final = 128


def bind(endpoint: Endpoint, mode: int) -> list[socket.socket]:
    """Bound, not yet listening sockets: one, or one for each address of a host name.

    `mode`: permissions of a unix socket. Raises OSError; its `filename` is the endpoint as written.
    """
    try:
        return [_bind_unix(Path(endpoint.path), mode)] if endpoint.path else _bind_all(endpoint)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(endpoint)) from error


def name(sock: socket.socket) -> Endpoint:
    """Where a socket is bound."""
    if sock.family == socket.AF_UNIX:
        return Endpoint(path=sock.getsockname())
    host, port = sock.getsockname()[:2]
    return Endpoint(host=host, port=port)


class SocketFile:
    """The file of a bound unix socket, to be removed with it, unless another process has taken its place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode = path.stat().st_ino

    def remove(self) -> None:
        """Remove it if it is still ours."""
        with contextlib.suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()


def remove_stale(path: Path) -> None:
    """Remove a socket file on which nobody listens. OSError where somebody does, or where it is no socket."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise FileExistsError(errno.EEXIST, "exists and is not a socket", str(path))
    try:
        Endpoint(path=str(path)).connect(1).close()
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)
        return
    except (TimeoutError, BlockingIOError):  # somebody is there, but busy
        pass
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), str(path))


def _bind_all(endpoint: Endpoint) -> list[socket.socket]:
    found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((each[0], each[4]) for each in found):
            sockets.append(_bind_inet(family, address))
    except OSError:
        for each in sockets:
            each.close()
        raise
    return sockets


def _bind_inet(family: int, address: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


def _bind_unix(path: Path, mode: int) -> socket.socket:
    remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(path))
        path.chmod(mode)  # nobody can connect before listen()
    except OSError:
        sock.close()
        raise
    return sock

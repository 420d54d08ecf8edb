"""Opening sockets, and what lies in their way."""

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from bouncemilter import listener
from bouncemilter.endpoint import Endpoint


def test_unix(tmp_path: Path) -> None:
    """A unix socket has the mode that was asked for, and nobody gets in before it listens."""
    path = tmp_path / "a.sock"
    (bound,) = listener.bind(Endpoint(path=str(path)), 0o640)
    with bound:
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert listener.name(bound) == Endpoint(path=str(path))
        with pytest.raises(ConnectionRefusedError):
            Endpoint(path=str(path)).connect(5)


def test_free_port() -> None:
    """Port 0 takes a free one, and its name tells which."""
    (bound,) = listener.bind(Endpoint(host="127.0.0.1"), 0)
    with bound:
        assert listener.name(bound) == Endpoint(host="127.0.0.1", port=bound.getsockname()[1])


def test_stale(tmp_path: Path) -> None:
    """The socket file of a dead process is taken over."""
    path = tmp_path / "a.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    (bound,) = listener.bind(Endpoint(path=str(path)), 0o600)
    with bound:
        bound.listen()
        Endpoint(path=str(path)).connect(5).close()


@pytest.mark.parametrize("backlog", [0, 5])
def test_in_use(tmp_path: Path, backlog: int) -> None:
    """A socket on which somebody listens is left alone, also while all places of its backlog are taken."""
    path = tmp_path / "a.sock"
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as waiting:
        other.bind(str(path))
        other.listen(backlog)
        waiting.connect(str(path))
        with pytest.raises(OSError, match="in use") as caught:
            listener.bind(Endpoint(path=str(path)), 0o600)
        assert caught.value.errno == errno.EADDRINUSE
        assert caught.value.filename == f"unix:{path}"
        assert path.is_socket()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_no_socket(tmp_path: Path, kind: str) -> None:
    """A file that is no socket, and a link to one, stay where they are."""
    path = tmp_path / "a.sock"
    if kind == "file":
        path.write_text("keep me")
    else:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(tmp_path / "b.sock"))
        path.symlink_to(tmp_path / "b.sock")
    with pytest.raises(OSError, match="not a socket"):
        listener.bind(Endpoint(path=str(path)), 0o600)
    assert os.path.lexists(path)


def test_port_in_use() -> None:
    """A port that is taken is named."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        endpoint = Endpoint(host="127.0.0.1", port=other.getsockname()[1])
        with pytest.raises(OSError, match="in use") as caught:
            listener.bind(endpoint, 0)
    assert caught.value.filename == str(endpoint)


def test_file_removed(tmp_path: Path) -> None:
    """A socket's file goes with it, but not one that another process put in its place."""
    path = tmp_path / "a.sock"
    with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
        first.bind(str(path))
        file = listener.SocketFile(path)
        path.rename(tmp_path / "old")
        second.bind(str(path))
        file.remove()
        assert path.is_socket()
        listener.SocketFile(path).remove()
        assert not path.exists()

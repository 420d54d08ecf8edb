"""The notation of sockets."""

import socket
from pathlib import Path

import pytest

from bouncemilter.endpoint import Endpoint


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("unix:/run/b/lmtp.sock", Endpoint(path="/run/b/lmtp.sock")),
        (f"unix:/{'x' * 106}", Endpoint(path=f"/{'x' * 106}")),
        ("inet:127.0.0.1:2424", Endpoint(host="127.0.0.1", port=2424)),
        ("inet:127.0.0.1:0", Endpoint(host="127.0.0.1")),
        ("inet:mail.example.pl:65535", Endpoint(host="mail.example.pl", port=65535)),
        ("inet:[::1]:24", Endpoint(host="::1", port=24)),
    ],
)
def test_parse(text: str, endpoint: Endpoint) -> None:
    """Unix sockets, names, IPv4 and IPv6 addresses are read, and written again as they were."""
    assert Endpoint.parse(text) == endpoint
    assert str(endpoint) == text


def test_names_ignore_case() -> None:
    """A host's name is kept in lower case, a path as it is."""
    assert str(Endpoint.parse("inet:MX.Example.com:24")) == "inet:mx.example.com:24"
    assert str(Endpoint.parse("unix:/run/A.sock")) == "unix:/run/A.sock"


@pytest.mark.parametrize(
    "text",
    [
        *("", "/run/a.sock", "unix:", "unix:run/a.sock", f"unix:/{'x' * 107}", "127.0.0.1:24", "inet:24", "inet::24"),
        *("inet:24@localhost", "inet:host:smtp", "inet:host:65536", "inet:host:024", "inet:::1:24", "inet:[::zz]:24"),
        *("inet:[1:2]:24", "inet:my host:24", "inet:host:24\n", "tcp:host:24"),
    ],
)
def test_refused(text: str) -> None:
    """Anything else is refused with a text that says how to write it."""
    with pytest.raises(ValueError, match=r"unix:/|octets"):
        Endpoint.parse(text)


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("unix:/run/a.sock", True),
        ("inet:127.0.0.2:24", True),
        ("inet:[::1]:24", True),
        ("inet:localhost:24", True),
        ("inet:0.0.0.0:24", False),
        ("inet:[::]:24", False),
        ("inet:192.0.2.1:24", False),
        ("inet:mail.example.com:24", False),
    ],
)
def test_local(text: str, local: bool) -> None:
    """Only what nobody outside can reach is local."""
    assert Endpoint.parse(text).is_local is local


def test_connect(tmp_path: Path) -> None:
    """A connection reaches who listens, by a port and by a path; where nobody listens it is an OSError."""
    path = tmp_path / "a.sock"
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(path))
        unix.listen()
        for listening, endpoint in (
            (tcp, Endpoint(host="127.0.0.1", port=tcp.getsockname()[1])),
            (unix, Endpoint(path=str(path))),
        ):
            with endpoint.connect(5) as connection, listening.accept()[0] as accepted:
                connection.sendall(b"x")
                assert accepted.recv(1) == b"x"
    with pytest.raises(ConnectionRefusedError):
        Endpoint(path=str(path)).connect(5)

"""The notation of sockets."""

import socket
from pathlib import Path

import pytest

from bouncemilter.fronts.milter.options import Endpoint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unix:/run/x/m.sock", Endpoint(Path("/run/x/m.sock"))),
        ("local:/run/m.sock", Endpoint(Path("/run/m.sock"))),
        ("/run/m.sock", Endpoint(Path("/run/m.sock"))),
        ("inet:8893@127.0.0.1", Endpoint(None, "127.0.0.1", 8893, socket.AF_INET)),
        ("inet6:8893@[::1]", Endpoint(None, "::1", 8893, socket.AF_INET6)),
    ],
)
def test_parse(text, expected):
    """The notations of libmilter are understood."""
    assert Endpoint.parse(text) == expected


@pytest.mark.parametrize("text", ["", "unix:", "unix:m.sock", "inet:8893", "inet:x@localhost", "inet:1@", "tcp:1@h"])
def test_refuse(text):
    """Anything else is refused by name, before libmilter sees it."""
    with pytest.raises(ValueError, match="no milter socket"):
        Endpoint.parse(text)

"""What a sink is made from."""

from pathlib import Path
from typing import Any

import pytest

from bouncemilter.fronts.sink import SinkOptions
from bouncemilter.fronts.sink.options import Endpoint


def options(**values: Any) -> SinkOptions:
    return SinkOptions(**({"listeners": (), "hostname": "sink.example.com", "maildir": Path("/nowhere")} | values))


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1:25", Endpoint("127.0.0.1", 25)),
        ("inet:mail.example.pl:10025", Endpoint("mail.example.pl", 10025)),
        ("[::1]:24", Endpoint("::1", 24)),
        ("unix:/run/sink", Endpoint(path="/run/sink")),
        ("/run/sink", Endpoint(path="/run/sink")),
    ],
)
def test_endpoint(text: str, endpoint: Endpoint) -> None:
    """The usual ways to write an address are read, and what is written again reads the same."""
    assert Endpoint.parse(text) == endpoint
    assert Endpoint.parse(str(endpoint)) == endpoint


@pytest.mark.parametrize("text", ["", "25", "host", "host:smtp", "host:65536", ":25", "unix:run/sink"])
def test_endpoint_refused(text: str) -> None:
    """What is neither host:port nor a path is refused."""
    with pytest.raises(ValueError, match=r"host:port|absolute"):
        Endpoint.parse(text)


def test_trusts() -> None:
    """Only clients in the networks are trusted, an IPv4 client on an IPv6 socket too."""
    some = options(trusted_clients=("192.0.2.0/24", "2001:db8::/32"), trust_unix_sockets=False)
    assert some.trusts("192.0.2.7")
    assert some.trusts("::ffff:192.0.2.7")
    assert some.trusts("2001:db8::7")
    assert not some.trusts("198.51.100.1")
    assert not some.trusts("")
    assert options().trusts("")
    assert not options().trusts("127.0.0.1")


@pytest.mark.parametrize(
    "values",
    [{"trusted_clients": ("192.0.2.1/24",)}, {"forward_to": "127.0.0.1:25"}, {"forward_to": "x", "hop_key": b"k" * 16}],
)
def test_options_refused(values: dict[str, Any]) -> None:
    """Options that can't work are refused when they are made."""
    with pytest.raises(ValueError, match=r"."):
        options(**values)


def test_key_hidden() -> None:
    """The key never shows in a repr."""
    assert "secret" not in repr(options(hop_key=b"secret secret secret"))

"""What a sink is made from."""

from pathlib import Path
from typing import Any

import pytest

from bouncemilter.fronts.sink import SinkOptions


def options(**values: Any) -> SinkOptions:
    return SinkOptions(**({"listeners": (), "hostname": "sink.example.com", "maildir": Path("/nowhere")} | values))


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
    [
        {"trusted_clients": ("192.0.2.1/24",)},
        {"forward_to": "inet:127.0.0.1:25"},
        {"forward_to": "x", "hop_key": b"k" * 16},
    ],
)
def test_options_refused(values: dict[str, Any]) -> None:
    """Options that can't work are refused when they are made."""
    with pytest.raises(ValueError, match=r"."):
        options(**values)


def test_key_hidden() -> None:
    """The key never shows in a repr."""
    assert "secret" not in repr(options(hop_key=b"secret secret secret"))

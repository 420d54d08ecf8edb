"""What libmilter is told of the socket."""

import pytest

from bouncemilter.endpoint import Endpoint
from bouncemilter.fronts.milter.front import _notation


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (Endpoint(path="/run/x/m.sock"), "unix:/run/x/m.sock"),
        (Endpoint(host="127.0.0.1", port=8893), "inet:8893@127.0.0.1"),
        (Endpoint(host="::1", port=8893), "inet6:8893@[::1]"),
    ],
)
def test_notation(endpoint, expected):
    """Our notation becomes libmilter's."""
    assert _notation(endpoint) == expected

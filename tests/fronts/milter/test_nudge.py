"""Waking libmilter's worker pool."""

import socket

import pytest

from bouncemilter.endpoint import Endpoint
from bouncemilter.fronts.milter.nudge import Nudge


def test_one_connection(folder):
    """However many callbacks wait, the socket gets one connection at a time."""
    path = folder / "own.sock"
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(str(path))
        own.listen()
        own.settimeout(0)
        nudge = Nudge(Endpoint(path=str(path)))
        for _ in range(100):
            nudge()
        own.accept()[0].close()
        with pytest.raises(BlockingIOError):
            own.accept()


def test_nobody_there(folder):
    """A socket that is gone is no error: the front is ending."""
    Nudge(Endpoint(path=str(folder / "gone.sock")))()

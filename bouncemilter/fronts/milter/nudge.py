"""Waking libmilter's worker pool while callbacks wait.

libmilter (8.17) hands a session's next command to an idle worker by a signal, and starts a new worker only if it counts
no idle one. A worker that was signalled is counted as idle until it runs, so of two commands that come together the
second can be left in the queue: until a callback returns, or another event makes the pool look again. As a rule that is
milliseconds; while callbacks wait for a slow store, ordinary mail would wait with them (measured: 6 of 2,000 commands
under waiting callbacks, for as long as these waited). A connection to the own socket is such an event.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Final

from bouncemilter.endpoint import Endpoint

SECONDS: Final = 0.5
"""How long a callback waits before it nudges, and the least time between two nudges."""


class Nudge:
    """Connects to the own socket, at most once in `SECONDS`. Safe from any thread."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._last = float("-inf")

    def __call__(self) -> None:
        """Wake the pool, unless that was just done."""
        with self._lock:
            now = time.monotonic()
            if now - self._last < SECONDS:
                return
            self._last = now
        with contextlib.suppress(OSError):
            self._endpoint.connect(SECONDS).close()

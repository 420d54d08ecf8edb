"""Whether the system's clock may be believed before something is deleted by it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Final

JUMP: Final = dt.timedelta(days=7)
"""Old things are deleted every hour. So much later the host was down for long, or the clock is wrong."""
HELD_SECONDS: Final = 86_400.0
"""So long it may be put right; then it is believed, or a host that was down for long would delete nothing any more."""


class ClockGuard:
    """Keeps a clock that was set far ahead from deleting what is not old."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._since: float | None = None

    def believes(self, now: dt.datetime, last: dt.datetime | None) -> bool:
        """Whether it is `now`, where something was last deleted at `last` (None: never)."""
        if last is None or now - last <= JUMP:
            self._since = None
            return True
        if self._since is None:
            self._since = self._monotonic()
        return self._monotonic() - self._since >= HELD_SECONDS

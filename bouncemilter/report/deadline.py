"""How long one message may be read (limits.PARSE_SECONDS): asked at the borders of parts, recipients and readers."""

from __future__ import annotations

import time
from collections.abc import Callable

from bouncemilter import limits

Clock = Callable[[], float]


class Deadline:
    """A limit on work: CPU time of the thread, since a busy host must not turn bounces into mail.

    The CPU is asked only when the wall clock, which costs a tenth of it, is past the limit: it can't be before. Once
    the time is given anew: a round of the garbage collector, which falls on whom it may, is no work of this message.
    """

    __slots__ = ("_cpu", "_cpu_until", "_pauses", "_seconds", "_wall", "_wall_until")

    def __init__(
        self,
        seconds: float = limits.PARSE_SECONDS,
        *,
        pauses: int = 1,
        cpu: Clock = time.thread_time,
        wall: Clock = time.monotonic,
    ) -> None:
        self._cpu, self._wall = cpu, wall
        self._seconds, self._pauses = seconds, pauses
        self._cpu_until, self._wall_until = cpu() + seconds, wall() + seconds

    def passed(self) -> bool:
        """Whether the time is over."""
        if self._wall() <= self._wall_until or self._cpu() <= self._cpu_until:
            return False
        if self._pauses == 0:
            return True
        self._pauses -= 1
        self._cpu_until, self._wall_until = self._cpu() + self._seconds, self._wall() + self._seconds
        return False

"""Standard output as a log: whoever reads it may be gone, slow or without room, and mail goes on."""

from __future__ import annotations

import datetime as dt
import json
import os
import select
import threading
import time
from typing import Final

PATIENCE: Final = 1.0
"""Seconds that a line waits for a reader who does not read. Once that was in vain, the lines after it wait no more
until there is room again."""
_PIECE: Final = select.PIPE_BUF
"""Octets that poll(2) promises room for."""


class Output:
    """The text stream of the log. Never raises, and never blocks for long. Safe from any thread.

    Lines that nobody takes are dropped; how many, stands as `log_lines_lost` before the first that is taken again.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._stuck = False
        self._torn = False
        """Whether a line was cut off in its middle."""
        self._lost = 0
        self._room = select.poll()
        self._room.register(descriptor, select.POLLOUT)

    def write(self, text: str) -> int:
        """Write whole lines; `text` is ASCII. How many characters there were, whatever became of them."""
        with self._lock:
            head = ("\n" if self._torn else "") + (_notice(self._lost) if self._lost else "")
            if self._put((head + text).encode("ascii", "backslashreplace")):
                self._stuck, self._torn, self._lost = False, False, 0
            else:
                self._stuck = True
                self._lost += 1
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def _put(self, octets: bytes) -> bool:
        """Write all of it; False where there was no room, or nobody there."""
        deadline = time.monotonic() + (0 if self._stuck else PATIENCE)
        while octets:
            wait = max(0.0, deadline - time.monotonic())
            try:
                if not self._room.poll(wait * 1000):
                    return False
                written = os.write(self._descriptor, octets[:_PIECE])
            except OSError:
                return False
            octets = octets[written:]
            self._torn = bool(octets)
        return True


def _notice(lost: int) -> str:
    at = dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"lines": lost, "level": "warning", "timestamp": at, "event": "log_lines_lost"}) + "\n"

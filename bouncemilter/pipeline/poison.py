"""Messages that a fault of ours makes fail again and again: after some attempts they are passed on unread."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Final

ATTEMPTS: Final = 3
"""So often a message may fail by a fault of ours before it goes on as it is."""
REMEMBERED: Final = 1000
"""Messages whose attempts are counted; the one that failed longest ago is forgotten first."""


class Poison:
    """Counts the failures of each message, in memory."""

    def __init__(self) -> None:
        self._failures: OrderedDict[bytes, int] = OrderedDict()

    def failed(self, head: bytes) -> bool:
        """A message that begins with `head` has failed; whether that was once too often."""
        name = hashlib.blake2b(head, digest_size=16).digest()
        count = self._failures.pop(name, 0) + 1
        if count >= ATTEMPTS:
            return True
        self._failures[name] = count
        if len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)
        return False

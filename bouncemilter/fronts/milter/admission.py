"""How many messages of ours are held at once, and whether new ones are taken.

Messages are counted, not sessions. A session above a cap could only be answered at connect: TEMPFAIL there makes
Postfix answer 451 to everything that the client sends, so ordinary mail would suffer for ours, and ACCEPT would let
the bounces of that session through into the mailbox. A session without a message of ours costs a descriptor and hardly
any memory, and how many there are is bounded by the MTA's own process limit. So ordinary mail is always accepted, and
above the cap the messages of ours alone are put off.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

_POLL = 0.02


class Admission:
    """Counts messages of ours from their first recipient to their end. Safe from any thread."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._held = 0
        self._draining = False

    @property
    def held(self) -> int:
        """Messages that were admitted and have not ended."""
        return self._held

    @property
    def draining(self) -> bool:
        """Whether the front is going down."""
        return self._draining

    def admit(self) -> bool:
        """Take one more message; False where it must be put off."""
        with self._lock:
            if self._draining or self._held >= self._limit:
                return False
            self._held += 1
            return True

    def release(self) -> None:
        """An admitted message has ended."""
        with self._lock:
            self._held -= 1

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """An outgoing message is at its end: it holds next to nothing, but is waited for before the front goes down."""
        with self._lock:
            self._held += 1
        try:
            yield
        finally:
            self.release()

    async def drain(self, grace: float) -> bool:
        """Admit nothing more; True once all have ended, False after `grace` seconds."""
        with self._lock:
            self._draining = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        # Polled, since those who release stand in libmilter's threads.
        while self._held and loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_POLL)
        return not self._held

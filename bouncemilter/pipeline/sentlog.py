"""What has been sent, and what was not, gathered in memory and written once a second.

It is no evidence of anything by itself: a second's worth may be lost with the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import structlog
from prometheus_client import Counter

from bouncemilter.model import Sent, Withheld
from bouncemilter.model.sent import NAME_LENGTH, OTHER
from bouncemilter.store import Store, StoreUnavailable

SENT: Final = Counter("bouncemilter_sent_total", "Recipients of outgoing mail that were counted as sent to")
LOST: Final = Counter("bouncemilter_sent_lost_total", "Those of them that could not be recorded")

FLUSH_SECONDS: Final = 1.0
WAITING: Final = 100_000
"""Recipients that are held while the store is down, some 40 MB; those after them are lost."""
NAMES: Final = 1000
"""Campaigns told apart in a day, and as many lists and senders. Software that names each message anew must not make a
row for each."""
_PIECE: Final = 5000
"""Written at a time, so that bounces need not wait for long."""

_log = structlog.get_logger()


class SentLog:
    """Gathers on the event loop; `run` writes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[Sent] = []
        self._withheld: list[Withheld] = []
        self._loop = asyncio.get_running_loop()
        self._named: defaultdict[str, set[str]] = defaultdict(set)
        self._day = dt.date.min

    def name(self, what: str, name: str, at: dt.datetime) -> str:
        """What a `name` is counted under on the UTC day of `at`; `what`: the campaign's, the list's or the sender's."""
        if at.date() != self._day:
            self._day = at.date()
            self._named.clear()
        name, known = name[:NAME_LENGTH], self._named[what]
        if name in known or len(known) < NAMES:
            known.add(name)
            return name
        return OTHER

    def add(self, sent: Iterable[Sent]) -> None:
        """Note what was let go."""
        found = list(sent)
        SENT.inc(len(found))
        room = max(0, WAITING - len(self._waiting))
        if len(found) > room:
            LOST.inc(len(found) - room)
        self._waiting.extend(found[:room])

    def withhold(self, found: Withheld) -> None:
        """Note what was refused. For callers on any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: we are stopping
            self._loop.call_soon_threadsafe(self._keep, found)

    def _keep(self, found: Withheld) -> None:
        if len(self._withheld) < WAITING:
            self._withheld.append(found)

    async def run(self) -> None:
        """Write what is gathered, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            writing = asyncio.create_task(self.flush())
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:  # what is on its way to the disk must not be written again by the last flush
                await asyncio.wait([writing])
                raise
            except StoreUnavailable:  # it is told of elsewhere
                continue
            except Exception:  # noqa: BLE001  (the figures of one second are not worth the mail's stop)
                LOST.inc(len(self._waiting))
                self._waiting.clear()
                self._withheld.clear()
                _log.exception("internal_error", front="milter", stage="sent")

    async def flush(self) -> None:
        """Write what is gathered now. StoreUnavailable: it is kept."""
        while self._waiting:
            piece = self._waiting[:_PIECE]
            await self._store.sent.record(piece)
            del self._waiting[: len(piece)]
        while self._withheld:
            some = self._withheld[:_PIECE]
            await self._store.sent.record_withheld(some)
            del self._withheld[: len(some)]

"""Keeping the index of suppressions up to date, whichever process changes the store."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from bouncemilter.store.errors import StoreUnavailable
from bouncemilter.store.index import Loading, SuppressionIndex
from bouncemilter.store.pseudonym import is_pseudonym
from bouncemilter.store.store import Store

ENTRIES: Final = Gauge("bouncemilter_suppression_index_entries", "Addresses in the index of suppressions")
SEQ: Final = Gauge("bouncemilter_suppression_index_seq", "The newest change that the index knows of")
AGE: Final = Gauge("bouncemilter_suppression_index_age_seconds", "Since the index was last known to be up to date")
LOADS: Final = Counter("bouncemilter_suppression_index_loads_total", "Times that all suppressions were read")

POLL_SECONDS: Final = 0.25
"""Between two looks at the change log; one takes half a millisecond. A change shall hold within a second."""

_log = structlog.get_logger()


class Follower:
    """Fills an index from the store, then reads on from the last change. Runs on the store's event loop.

    While the store is down the index stays as it is; afterwards it catches up by itself.
    """

    def __init__(self, store: Store, index: SuppressionIndex, poll: float = POLL_SECONDS) -> None:
        self._store = store
        self._index = index
        self._poll = poll
        self._up_to_date = time.monotonic()
        self._failing = False
        AGE.set_function(lambda: time.monotonic() - self._up_to_date)

    async def run(self) -> None:
        """Follow the store until cancelled."""
        while True:
            try:
                await self.catch_up()
            except StoreUnavailable as error:
                self._failed(str(error))
            except Exception as error:  # noqa: BLE001  (an index that stands still must not stop the mail)
                self._failed(repr(error))
            else:
                self._recovered()
            await asyncio.sleep(self._poll)

    async def catch_up(self) -> None:
        """Bring the index to the store's state of now, or later. StoreUnavailable: it is as it was, or part of the way.

        What is read twice does no harm: each look takes an address as it stands then.
        """
        index = self._index
        started = time.monotonic()
        first, last = await self._store.change_span()
        if not index.loaded or last < index.seq or first > index.seq + 1:
            await self._load(last)
        else:
            while index.seq < last and await self._read_on():
                pass
        self._up_to_date = started
        ENTRIES.set(len(index))
        SEQ.set(index.seq)

    async def _read_on(self) -> bool:
        """Take over the next changes; False where they are gone by now: the next look tells what to do."""
        changes = await self._store.changed_keys(self._index.seq)
        for changed in changes:
            if is_pseudonym(changed.address_key):
                self._index.has_pseudonyms = True
            if changed.suppressed:
                self._index.add(changed.address_key, everywhere=changed.everywhere)
            else:
                self._index.remove(changed.address_key)
            self._index.seq = changed.seq
        return bool(changes)

    async def _load(self, last: int) -> None:
        """Read everything anew: at the start, from a store that was put back, and where changes were deleted unread.

        Meanwhile each look-up asks the store. Changes after `last` may or may not be in it: they are read next.
        """
        started, again = time.monotonic(), self._index.loaded
        loading = Loading()
        async for page in self._store.suppressed_keys():
            if self._index.loaded:  # not before the store has answered
                self._index.forget()
            loading.extend(page)
        self._index.has_pseudonyms |= await self._store.erasure.blocks() > 0
        await asyncio.to_thread(loading.sort)
        _log.info(
            "suppression_index_loaded",
            addresses=loading.entries,
            seconds=round(time.monotonic() - started, 1),
            again=again,
        )
        LOADS.inc()
        self._index.replace(loading, last)

    def _failed(self, reason: str) -> None:
        if not self._failing:
            _log.warning("suppression_index_stale", error=reason)
        self._failing = True

    def _recovered(self) -> None:
        if self._failing:
            _log.info("suppression_index_recovered")
        self._failing = False

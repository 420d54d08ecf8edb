"""What is asked at each RCPT of outgoing mail: is this address suppressed?"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Final

from prometheus_client import Counter

from bouncemilter.model import Standing
from bouncemilter.store.errors import StoreError
from bouncemilter.store.index import SuppressionIndex
from bouncemilter.store.store import Store

CONFIRM_SECONDS: Final = 2.0
"""The store's time to confirm that an address is suppressed. A client waits for the answer to its RCPT meanwhile."""


class Result(StrEnum):
    """How a look-up ended."""

    MISS = "miss"
    """Not in the index: answered without the store."""
    HIT = "hit"
    FALSE_HIT = "false_hit"
    """In the index, but nothing is in force: it has expired. The index forgets it then."""
    UNCONFIRMED = "unconfirmed"
    """The store gave no answer: the index alone decides."""


LOOKUPS: Final = Counter("bouncemilter_suppression_lookups_total", "Addresses looked up for outgoing mail", ["result"])
_COUNTED: Final = {result: LOOKUPS.labels(result) for result in Result}
_FREE: Final = Standing()


class Suppressions:
    """The look-up, over an index that a Follower keeps. Made on the store's event loop."""

    def __init__(self, store: Store, index: SuppressionIndex, timeout: float = CONFIRM_SECONDS) -> None:
        self._store = store
        self._index = index
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()

    def standing(self, address_key: str) -> Standing:
        """How an address (address.key) stands now, for callers on other threads than the event loop's. Never raises.

        Costs two microseconds for one that is not suppressed, and a question to the store for one that may be.
        """
        if self._is_free(address_key):
            return _FREE
        question = self._confirm(address_key)
        try:
            waiting = asyncio.run_coroutine_threadsafe(question, self._loop)
        except RuntimeError:  # the loop is closed: we are stopping
            question.close()
            return self._unconfirmed(address_key)
        try:
            # The time-out within is the one that counts; this one is for a loop that does not turn.
            return waiting.result(2 * self._timeout)
        except Exception:  # noqa: BLE001  (a time-out, or the loop's end)
            waiting.cancel()
            return self._unconfirmed(address_key)

    async def standing_on_loop(self, address_key: str) -> Standing:
        """The same for callers on the event loop."""
        return _FREE if self._is_free(address_key) else await self._confirm(address_key)

    def _is_free(self, address_key: str) -> bool:
        if not self._index.loaded or self._contains(address_key):
            return False
        _COUNTED[Result.MISS].inc()
        return True

    def _contains(self, address_key: str) -> bool:
        """Whether an address may be suppressed, by its name or, forgotten, by its pseudonym."""
        index = self._index
        if index.contains(address_key):
            return True
        return index.has_pseudonyms and index.contains(self._store.pseudonym(address_key))

    async def _confirm(self, address_key: str) -> Standing:
        seq = self._index.seq
        try:
            async with asyncio.timeout(self._timeout):
                found = await self._store.suppressed(address_key)
        except (StoreError, TimeoutError):
            return self._unconfirmed(address_key)
        if found:
            _COUNTED[Result.HIT].inc()
            return Standing(found)
        if not self._contains(address_key):  # asked before the first load
            _COUNTED[Result.MISS].inc()
            return _FREE
        _COUNTED[Result.FALSE_HIT].inc()
        if self._index.seq == seq:  # else it may have been suppressed meanwhile, and the index knows already
            self._index.remove(address_key)
            self._index.remove(self._store.pseudonym(address_key))
        return _FREE

    def _unconfirmed(self, address_key: str) -> Standing:
        _COUNTED[Result.UNCONFIRMED].inc()
        keys = address_key, self._store.pseudonym(address_key)
        return Standing(unconfirmed=any(self._index.everywhere(key) for key in keys), unknown=not self._index.loaded)

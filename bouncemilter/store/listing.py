"""The suppression list as people read it: filtered, counted, page by page; and who is watched."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace

from bouncemilter.model import Cause, Suppression
from bouncemilter.store import queries
from bouncemilter.store.filter import Filter
from bouncemilter.store.part import ReadingPart
from bouncemilter.store.queries import PAGE
from bouncemilter.store.rows import Watched


class Listing(ReadingPart):
    """Suppressions and watched addresses of a store."""

    async def matching(self, wanted: Filter = Filter(), limit: int | None = None) -> AsyncIterator[Suppression]:  # noqa: B008  (frozen)
        """Those that match, oldest first, read page by page."""
        after, left = 0, limit
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            async with self._read() as connection:
                found = await queries.page(connection, wanted, self._clock(), after, size)
            for suppression in found:
                yield suppression
            if len(found) < size:
                return
            after = found[-1].id
            left = None if left is None else left - len(found)

    async def by_address(self, wanted: Filter = Filter()) -> AsyncIterator[Suppression]:  # noqa: B008  (frozen)
        """Those that match, by address key, read page by page."""
        after = ("", 0)
        while True:
            async with self._read() as connection:
                found = await queries.page_by_address(connection, wanted, self._clock(), after, PAGE)
            for suppression in found:
                yield suppression
            if len(found) < PAGE:
                return
            after = (found[-1].address_key, found[-1].id)

    async def count(self, wanted: Filter) -> int:
        """How many match."""
        async with self._read() as connection:
            return await queries.count(connection, wanted, self._clock())

    async def count_by_cause(self, now: dt.datetime) -> dict[Cause, int]:
        """How many are in force at `now` for each cause."""
        async with self._read() as connection:
            return await queries.suppressed_by_cause(connection, now)

    async def of(self, address_key: str) -> tuple[Suppression, ...]:
        """All that an address ever had, oldest first."""
        keys = address_key, self._pseudonym(address_key)
        async with self._read() as connection:
            found = await queries.suppressions_of(connection, keys)
        return tuple(replace(each, address_key=address_key) for each in found)

    async def held_back(self, address_key: str) -> tuple[Suppression, ...]:
        """Those of one address that are pending: an incident holds them back, and nothing is refused."""
        async with self._read() as connection:
            return await queries.held_back(connection, address_key, self._clock())

    async def watched(self, limit: int | None = PAGE, wanted: Filter = Filter()) -> tuple[Watched, ...]:  # noqa: B008  (frozen)
        """Addresses with marks and without a suppression in force, newest mark first; `limit` None: all."""
        async with self._read() as connection:
            return await queries.watched(connection, wanted, self._clock(), limit)

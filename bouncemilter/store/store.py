"""The store: what the rest of the program sees of it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bouncemilter.model import Cause, Kind, Scope, Sentence, Suppression
from bouncemilter.store import dialect, queries, sqlite
from bouncemilter.store.cursors import EPOCH, PURGED, Cursors
from bouncemilter.store.erasure import Erasure
from bouncemilter.store.errors import StoreUnavailable
from bouncemilter.store.figures import Figures
from bouncemilter.store.imports import Imports
from bouncemilter.store.incidents import Incidents, Settling
from bouncemilter.store.listing import Listing
from bouncemilter.store.pseudonym import pseudonym
from bouncemilter.store.queries import PAGE
from bouncemilter.store.recording import Entry, Recorded, Recording, Tally
from bouncemilter.store.retention import PIECE, Blanking, Deleting, Forgetting, Purged, Retention
from bouncemilter.store.roster import Roster
from bouncemilter.store.rows import Change, ChangedKey, DailyCount, StoredEvent, Unmatched
from bouncemilter.store.schema import heartbeat
from bouncemilter.store.sent import SentMail
from bouncemilter.store.suppressions import Lifting, LiftingEach, Suppressing
from bouncemilter.store.writer import WAITING, Work, Writer

_SHED_SECONDS: Final = 0.5


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Store:
    """Events, suppressions and counts. Made by `Store.open`; used on one event loop.

    Every method raises StoreUnavailable while the database cannot be used, and works again by itself afterwards.
    """

    def __init__(
        self,
        writing: AsyncEngine,
        reading: AsyncEngine,
        writer: Writer,
        clock: Callable[[], dt.datetime],
        *,
        secret: bytes,
        path: Path,
    ) -> None:
        self._writing = writing
        self._reading = reading
        self._writer = writer
        self._clock = clock
        self._secret = secret
        self._path = path

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        busy_timeout: float = 5.0,
        waiting: int = WAITING,
        clock: Callable[[], dt.datetime] = _utc_now,
        check: bool = True,
    ) -> Self:
        """Open the store at `url` (`sqlite+aiosqlite:////var/lib/bouncemilter/store.db`); a new one where none is.

        `busy_timeout`: seconds to wait for another process's lock. `waiting`: calls that may wait for the writer.
        `clock`: now, UTC. `check`: read the whole file for damage, as the daemon does; a short command need not.
        An older schema is brought up to date, after a backup copy beside the file. StoreRefused: what is there cannot
        be used, and was not changed. StoreUnavailable: locked just now.
        """
        path = sqlite.path_of(url)
        secret = await sqlite.prepare(path, busy_timeout, check=check)
        writing, reading = sqlite.writer(path, busy_timeout), sqlite.reader(path, busy_timeout)
        return cls(writing, reading, Writer(writing, clock, waiting), clock, secret=secret, path=path)

    async def close(self) -> None:
        """Commit what waits, then let go of the database. Calls after it raise StoreUnavailable."""
        await self._writer.close()
        await self._writing.dispose()
        await self._reading.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    @property
    def waiting(self) -> int:
        """Calls that wait for the writer, for a gauge."""
        return self._writer.waiting

    @property
    def figures(self) -> Figures:
        """Counts for reports."""
        return Figures(self._read)

    @property
    def listing(self) -> Listing:
        """The suppression list, for people."""
        return Listing(self._read, self._clock, self.pseudonym)

    @property
    def incidents(self) -> Incidents:
        """Incidents, and what operators make of them."""
        return Incidents(self._writer, self._read, self._clock)

    @property
    def sent(self) -> SentMail:
        """What was sent, and what was not."""
        return SentMail(self._writer, self._read)

    @property
    def roster(self) -> Roster:
        """All that is in force, for a list that is held against it."""
        return Roster(self._read, self._clock, self.pseudonym)

    @property
    def imports(self) -> Imports:
        """Suppressions from elsewhere, in batches."""
        return Imports(self._writer, self._read, self._clock)

    @property
    def cursors(self) -> Cursors:
        """The change log, for those who follow it."""
        return Cursors(self._writer, self._read, self._clock)

    @property
    def erasure(self) -> Erasure:
        """Forgetting addresses."""
        return Erasure(self._writer, self._read, self._clock, self._secret)

    def pseudonym(self, address_key: str) -> str:
        """The key under which an address is suppressed that was forgotten. Takes about a microsecond."""
        return pseudonym(self._secret, address_key)

    async def record(self, entries: Sequence[Entry], tallies: Sequence[Tally] = ()) -> tuple[Recorded, ...]:
        """Record all rows of one message in one transaction; returns after the commit, in order of `entries`.

        A message whose entries all were recorded before counts no tallies again. StoreUnavailable: nothing of it is on
        disk, or it is a duplicate next time. BadRow: the database refuses a value. What `judge` raises comes through.
        """
        recorded: tuple[Recorded, ...] = await self._writer.write(Recording(tuple(entries), tuple(tallies)))
        return recorded

    async def ping(self) -> None:
        """A full round trip: a small write through the queue and the writer, committed; also while it is overloaded."""
        await self._writer.write(_Heartbeat(), bounded=False)

    async def suppress(
        self, address_key: str, sentence: Sentence, *, by: str, note: str = "", written: str = ""
    ) -> Suppression:
        """Suppress an address by hand; `by` is the login name. The one in force already is returned.

        `written`: the address as it was written, for show; else its key.
        """
        work = Suppressing(address_key, written or address_key, sentence, by, note)
        found: Suppression = await self._writer.write(work)
        return found

    async def lift(
        self,
        address_key: str,
        *,
        by: str,
        scope: Scope | None = None,
        scope_value: str | None = None,
        cause: Cause | None = None,
        note: str = "",
    ) -> tuple[Suppression, ...]:
        """End the suppressions of an address, in force or pending, that match (None: any); those ended, or none."""
        lifted: tuple[Suppression, ...] = await self._writer.write(
            Lifting(address_key, self.pseudonym(address_key), by, scope, scope_value, cause, note)
        )
        return tuple(replace(each, address_key=address_key) for each in lifted)

    async def lift_each(self, numbers: Sequence[int], *, by: str, note: str = "") -> tuple[Suppression, ...]:
        """End suppressions by their ids, as far as they are in force or pending; those ended. At most 1,000 a call."""
        lifted: tuple[Suppression, ...] = await self._writer.write(LiftingEach(tuple(numbers), by, note))
        return lifted

    async def purge(self, now: dt.datetime, retention: Retention | None = None) -> Purged:
        """Delete what was kept long enough at `now`, in small transactions; and end what is pending without need."""
        after: int | None = 0
        while after is not None:
            after = await self._writer.write(Settling(after, PIECE))
        kept = retention or Retention()
        blanked = await self._repeat(Blanking(now - kept.auto_reply_excerpts, Kind.AUTO_REPLY))
        blanked += await self._repeat(Blanking(now - kept.excerpts))
        await self._repeat(Forgetting(now - kept.messages, (now - kept.events).date()))
        deleted = await self._repeat(Deleting(now - kept.events))
        if kept.addresses:
            await self.erasure.forget_older(now - kept.addresses)
        await self.shed()
        await self.cursors.move(PURGED, (now - EPOCH) // dt.timedelta(microseconds=1))
        return Purged(deleted, blanked)

    async def purged_at(self) -> dt.datetime | None:
        """When `purge` was last done; None where it never was."""
        place = await self.cursors.place(PURGED)
        return EPOCH + place * dt.timedelta(microseconds=1) if place else None

    async def shed(self) -> bool:
        """Empty the write-ahead log, in which deleted rows would stand a while; False while somebody still reads it.

        Writers wait meanwhile, for half a second at most.
        """
        return await asyncio.to_thread(sqlite.shed, self._path, _SHED_SECONDS)

    async def _repeat(self, work: Deleting | Blanking | Forgetting) -> int:
        total = 0
        while True:
            done: int = await self._writer.write(work)
            total += done
            if done < PIECE:
                return total

    async def suppressed(self, address_key: str) -> tuple[Suppression, ...]:
        """The suppressions in force of one address, in all scopes; of a forgotten one `address` is empty."""
        keys = address_key, self.pseudonym(address_key)
        async with self._read() as connection:
            found = await queries.suppressed(connection, keys, self._clock())
        return tuple(replace(each, address_key=address_key) for each in found)

    async def events_of(self, address_key: str, limit: int = PAGE) -> tuple[StoredEvent, ...]:
        """What was learnt about an address, newest first."""
        async with self._read() as connection:
            return await queries.events_of(connection, address_key, limit)

    async def domains_not_found(self, since: dt.datetime, limit: int = PAGE) -> tuple[StoredEvent, ...]:
        """The counted failures since then for which a domain was not found, the newest first."""
        async with self._read() as connection:
            return await queries.domains_not_found(connection, since, limit)

    async def changes(self, since: int, limit: int = PAGE) -> tuple[Change, ...]:
        """The changes to suppressions after the `seq` in `since`, in order. Expiry alone is no change."""
        async with self._read() as connection:
            return await queries.changes(connection, since, limit)

    async def last_change(self) -> int:
        """The `seq` of the newest change, 0 where there is none: read it, list all, then follow `changes` from it."""
        async with self._read() as connection:
            return await queries.last_change(connection)

    async def knows_change(self, seq: int) -> bool:
        """Whether this store has made the change `seq`, or it is 0; else it is one of a store that was put away."""
        async with self._read() as connection:
            return seq == 0 or await queries.has_change(connection, seq)

    async def change_span(self) -> tuple[int, int]:
        """The `seq` of the oldest change that is kept and of the newest; zeros where there is none."""
        async with self._read() as connection:
            return await queries.change_span(connection)

    async def suppressed_keys(self) -> AsyncIterator[Sequence[tuple[str, int]]]:
        """All addresses that have suppressions, page by page; 1 if one of them is global, else 0.

        None of them is ended; some have expired.
        """
        after = ""
        while True:
            async with self._read() as connection:
                found = await queries.suppressed_keys(connection, after, PAGE)
            yield found
            if len(found) < PAGE:
                return
            after = found[-1][0]

    async def changed_keys(self, since: int, limit: int = PAGE) -> list[ChangedKey]:
        """What became of the addresses of the changes after the `seq` in `since`, in their order."""
        async with self._read() as connection:
            return await queries.changed_keys(connection, since, self._clock(), limit)

    async def counts(self, first: dt.date, last: dt.date) -> tuple[DailyCount, ...]:
        """The counts of the UTC days from `first` to `last`, both included."""
        async with self._read() as connection:
            return await queries.counts(connection, first, last)

    async def unmatched(self, limit: int = PAGE) -> tuple[Unmatched, ...]:
        """The templates of stored events that no rule knows, the most frequent first."""
        async with self._read() as connection:
            return await queries.unmatched(connection, limit)

    async def ruled(self) -> AsyncIterator[StoredEvent]:
        """All stored events that have a category, in no order that means anything, read page by page."""
        after = ""
        while True:
            async with self._read() as connection:
                found = await queries.ruled(connection, after, PAGE)
            for event in found:
                yield event
            if len(found) < PAGE:
                return
            after = found[-1].event.id

    @contextlib.asynccontextmanager
    async def _read(self) -> AsyncIterator[AsyncConnection]:
        if self._writer.closed:
            raise StoreUnavailable("closed")
        try:
            async with self._reading.connect() as connection:
                yield connection
        except Exception as error:
            if dialect.temporary(error):
                raise StoreUnavailable(dialect.first_line(error)) from error
            raise


@dataclass(frozen=True, slots=True)
class _Heartbeat(Work):
    """The small write of Store.ping."""

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> None:
        """Write the time."""
        statement = dialect.insert_or_update(connection, heartbeat, "at")
        await connection.execute(statement, {"id": 1, "at": now})

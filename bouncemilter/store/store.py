"""The store: what the rest of the program sees of it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bouncemilter import address
from bouncemilter.model import (
    Category,
    Cause,
    Incident,
    Kind,
    Scope,
    Sent,
    Sentence,
    Suppression,
    Withheld,
    address_hash,
)
from bouncemilter.store import dialect, incidents, queries, sent, sqlite
from bouncemilter.store.cursors import EPOCH, PURGED, Cursors
from bouncemilter.store.erasure import Erasure
from bouncemilter.store.errors import StoreUnavailable
from bouncemilter.store.figures import Figures
from bouncemilter.store.filter import Filter
from bouncemilter.store.imports import Imports
from bouncemilter.store.incidents import Naming, Releasing, Settling, Undecided, Undoing
from bouncemilter.store.pseudonym import pseudonym
from bouncemilter.store.queries import PAGE
from bouncemilter.store.recording import Entry, Recorded, Recording, Tally
from bouncemilter.store.retention import PIECE, Blanking, Deleting, Forgetting, Purged, Retention
from bouncemilter.store.roster import Roster
from bouncemilter.store.rows import Change, ChangedKey, DailyCount, StoredEvent, Unmatched, Watched
from bouncemilter.store.schema import heartbeat
from bouncemilter.store.sent import Addressing, Keeping, Sending
from bouncemilter.store.suppressions import Lifting, LiftingEach, Suppressing
from bouncemilter.store.writer import WAITING, Work, Writer

_SHED_SECONDS: Final = 0.5


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Store:
    """Events, suppressions and counts. Made by `Store.open`; used on one event loop.

    Every method raises StoreUnavailable while the database cannot be used, and works again by itself afterwards.
    """

    def __init__(  # noqa: PLR0913  (made by `open` alone)
        self,
        writing: AsyncEngine,
        reading: AsyncEngine,
        writer: Writer,
        clock: Callable[[], dt.datetime],
        *,
        fold: bool,
        secret: bytes,
        path: Path,
    ) -> None:
        self._writing = writing
        self._reading = reading
        self._writer = writer
        self._clock = clock
        self._fold = fold
        self._secret = secret
        self._path = path

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        busy_timeout: float = 5.0,
        fold_local_part: bool = True,
        waiting: int = WAITING,
        clock: Callable[[], dt.datetime] = _utc_now,
        check: bool = True,
    ) -> Self:
        """Open the store at `url` (`sqlite+aiosqlite:////var/lib/bouncemilter/store.db`); a new one where none is.

        `busy_timeout`: seconds to wait for another process's lock. `fold_local_part`: as in address.key, for addresses
        given as written. `waiting`: calls that may wait for the writer. `clock`: now, UTC.
        `check`: read the whole file for damage, as the daemon does; a short command need not.
        An older schema is brought up to date, after a backup copy beside the file. StoreRefused: what is there cannot
        be used, and was not changed. StoreUnavailable: locked just now.
        """
        path = sqlite.path_of(url)
        secret = await sqlite.prepare(path, busy_timeout, check=check)
        writing, reading = sqlite.writer(path, busy_timeout), sqlite.reader(path, busy_timeout)
        return cls(
            writing, reading, Writer(writing, clock, waiting), clock, fold=fold_local_part, secret=secret, path=path
        )

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
    def roster(self) -> Roster:
        """All that is in force, for a list that is held against it."""
        return Roster(self._read, self._clock)

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

    def key(self, written: str) -> str:
        """The key of an address as written. ValueError where it is none."""
        key = address.key(written, fold_local_part=self._fold)
        if not key:
            raise ValueError(f"not an address: {written!r}")
        return key

    async def suppress(self, written: str, sentence: Sentence, *, by: str, note: str = "") -> Suppression:
        """Suppress an address by hand or by an import; `by` is the login name. The one in force already is returned.

        ValueError where `written` is no address.
        """
        found: Suppression = await self._writer.write(Suppressing(self.key(written), written, sentence, by, note))
        return found

    async def lift(
        self,
        written: str,
        *,
        by: str,
        scope: Scope | None = None,
        scope_value: str | None = None,
        cause: Cause | None = None,
        note: str = "",
    ) -> tuple[Suppression, ...]:
        """End the suppressions of an address, in force or pending, that match (None: any); those ended, or none.

        ValueError where `written` is no address.
        """
        key = self.key(written)
        lifted: tuple[Suppression, ...] = await self._writer.write(
            Lifting(key, self.pseudonym(key), by, scope, scope_value, cause, note)
        )
        return tuple(replace(each, address_key=key) for each in lifted)

    async def lift_each(self, numbers: Sequence[int], *, by: str, note: str = "") -> tuple[Suppression, ...]:
        """End suppressions by their ids, as far as they are in force or pending; those ended. At most 1,000 a call."""
        lifted: tuple[Suppression, ...] = await self._writer.write(LiftingEach(tuple(numbers), by, note))
        return lifted

    async def record_sent(self, found: Sequence[Sent]) -> None:
        """Count mail that was accepted to be sent, and note its day for each address; returns after the commit."""
        if found:
            await self._writer.write(Sending(tuple(found)))

    async def record_withheld(self, found: Sequence[Withheld]) -> None:
        """Count outgoing mail that suppressed addresses did not get; returns after the commit."""
        if found:
            await self._writer.write(Keeping(tuple(found)))

    async def withheld_from(self, address_key: str, limit: int = PAGE) -> tuple[Withheld, ...]:
        """The outgoing mail that an address did not get, by day, newest first."""
        async with self._read() as connection:
            return await sent.withheld_from(connection, address_key, limit)

    async def record_message(self, nonce: str, recipients: Iterable[str]) -> None:
        """Note whom (address keys) a message goes to whose return path names nobody; returns after the commit."""
        await self._writer.write(Addressing(nonce, frozenset(address_hash(each) for each in recipients)))

    async def message_recipients(self, nonce: str) -> frozenset[int]:
        """model.address_hash of each of a message's recipients; empty where the message is unknown or too old."""
        async with self._read() as connection:
            return await sent.recipients(connection, nonce)

    async def release_incident(self, number: int, *, by: str, note: str = "") -> Incident | None:
        """Suppress what an incident holds back. None where there is no such incident, or it was decided before."""
        found: Incident | None = await self._writer.write(Releasing(number, by, note))
        return found

    async def undo_incident(self, number: int, *, by: str, note: str = "") -> Incident | None:
        """Excuse the events of an incident and end its suppressions, also after a release. None as above."""
        found: Incident | None = await self._writer.write(Undoing(number, by, note))
        return found

    async def undo_failures(
        self,
        domain: str,
        category: Category,
        since: dt.datetime,
        until: dt.datetime,
        *,
        by: str,
        note: str = "",
    ) -> Incident | None:
        """The same for failures after `since`, up to `until`, that were no incident when they came.

        `domain`: registrable, of the host that answered or of the recipients. None where there are none that count.
        """
        found: Incident | None = await self._writer.write(Naming(domain, category, since, until, by, note))
        return found

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

    async def held_back(self, address_key: str) -> tuple[Suppression, ...]:
        """The suppressions of one address that are pending: an incident holds them back, and nothing is refused."""
        async with self._read() as connection:
            return await queries.held_back(connection, address_key, self._clock())

    async def incidents(self, limit: int = PAGE) -> tuple[Incident, ...]:
        """The incidents, newest first."""
        async with self._read() as connection:
            return await incidents.every(connection, self._clock(), limit)

    async def incident(self, number: int) -> Incident | None:
        """One incident; None where there is none of this number."""
        async with self._read() as connection:
            return await incidents.one(connection, number, self._clock())

    async def suppressions_of_incident(self, number: int) -> AsyncIterator[Suppression]:
        """All suppressions that belong to an incident, pending, in force or ended, read page by page."""
        after = 0
        while True:
            async with self._read() as connection:
                found = await queries.suppressions_of_incident(connection, number, after, PAGE)
            for suppression in found:
                yield suppression
            if len(found) < PAGE:
                return
            after = found[-1].id

    async def undecided(self) -> Undecided:
        """How many incidents are open, and how many suppressions are pending."""
        async with self._read() as connection:
            return await incidents.undecided(connection, self._clock())

    async def suppressed_by_cause(self, now: dt.datetime) -> dict[Cause, int]:
        """How many suppressions are in force at `now` for each cause."""
        async with self._read() as connection:
            return await queries.suppressed_by_cause(connection, now)

    async def suppressions_of(self, address_key: str) -> tuple[Suppression, ...]:
        """All suppressions that an address ever had, oldest first."""
        keys = address_key, self.pseudonym(address_key)
        async with self._read() as connection:
            found = await queries.suppressions_of(connection, keys)
        return tuple(replace(each, address_key=address_key) for each in found)

    async def suppressions(self, wanted: Filter = Filter(), limit: int | None = None) -> AsyncIterator[Suppression]:  # noqa: B008  (frozen)
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

    async def suppressions_by_address(self, wanted: Filter = Filter()) -> AsyncIterator[Suppression]:  # noqa: B008  (frozen)
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
        """How many suppressions match."""
        async with self._read() as connection:
            return await queries.count(connection, wanted, self._clock())

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

    async def watched(self, limit: int | None = PAGE, wanted: Filter = Filter()) -> tuple[Watched, ...]:  # noqa: B008  (frozen)
        """Addresses with marks and without a suppression in force, newest mark first; `limit` None: all."""
        async with self._read() as connection:
            return await queries.watched(connection, wanted, self._clock(), limit)

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

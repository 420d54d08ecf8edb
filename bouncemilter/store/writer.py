"""The one writer: group commit, so that many callers share one wait for the disk."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bouncemilter.store import dialect
from bouncemilter.store.errors import BadRow, StoreUnavailable
from bouncemilter.store.fuse import Fuse
from bouncemilter.store.recording import Recording, record

BATCH: Final = 256
"""Calls in one transaction. More gain nothing: the wait for the disk is shared by then."""
BATCH_ENTRIES: Final = 1024
"""Events in one transaction, unless one message alone has more: what a failed batch costs stays small."""
WAITING: Final = 4096
"""Calls that may wait. More come in than the disk takes: the MTA shall keep them (tempfail), not our memory."""
TRIES: Final = 5
"""Attempts at a transaction that loses races against other servers."""
RECONNECTS: Final = 2
"""Attempts at a transaction whose connection breaks. The outcome is unknown; event ids make the repetition safe."""


class Work(Protocol):
    """Anything else to write, alone, in its turn. May run twice: a batch that fails is tried again."""

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> Any:
        """Write it within the transaction of `connection`; what the caller gets."""
        ...


@dataclass(frozen=True, slots=True)
class _Call:
    work: Recording | Work
    future: asyncio.Future[Any]


class Writer:
    """Takes what waits, writes it in one transaction, and answers each caller after the commit."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], dt.datetime], waiting: int = WAITING) -> None:
        self._engine = engine
        self._clock = clock
        self._queue: asyncio.Queue[_Call | None] = asyncio.Queue()
        self._limit = waiting
        self._connection: AsyncConnection | None = None
        self._fuse = Fuse()
        self.closed = False
        self._task = asyncio.get_running_loop().create_task(self._run(), name="store writer")

    @property
    def waiting(self) -> int:
        """Calls that wait for their turn."""
        return self._queue.qsize()

    async def write(self, work: Recording | Work, *, bounded: bool = True) -> Any:
        """Do `work` and commit it. A caller that is cancelled harms nobody; its work may or may not be kept.

        `bounded`: refused at once where too many wait.
        """
        if self.closed:
            raise StoreUnavailable("closed")
        if bounded and self._queue.qsize() >= self._limit:
            raise StoreUnavailable("overloaded")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Call(work, future))
        return await future

    async def close(self) -> None:
        """Write what waits, then stop."""
        if not self.closed:
            self.closed = True
            self._queue.put_nowait(None)
        await asyncio.shield(self._task)

    async def _run(self) -> None:
        try:
            while batch := await self._next():
                try:
                    await self._settle([call for call in batch if not call.future.done()])
                finally:
                    _fail(batch, StoreUnavailable("closed"))  # those that are still open, where the task is cancelled
        finally:
            # However it ends: nobody waits forever.
            self.closed = True
            self._fail_waiting(StoreUnavailable("closed"))
            await self._give_up(renew=False)

    async def _next(self) -> list[_Call]:
        """The next batch; empty at the end."""
        batch: list[_Call] = []
        entries = 0
        call = await self._queue.get()
        while call is not None:
            batch.append(call)
            entries += len(call.work.entries) if isinstance(call.work, Recording) else 1
            if len(batch) >= BATCH or entries >= BATCH_ENTRIES or self._queue.empty():
                return batch
            call = self._queue.get_nowait()
        if batch:  # the end comes next
            self._queue.put_nowait(None)
        return batch

    async def _settle(self, batch: Sequence[_Call]) -> None:
        """Commit `batch`; where one call spoils it, halve it until that one fails alone."""
        if not batch:
            return
        try:
            results = await self._attempt([call.work for call in batch])
        except Exception as error:  # noqa: BLE001  (whatever it is: its caller gets it, the writer lives)
            if dialect.temporary(error):
                _fail(batch, error)
                # What came meanwhile has waited as well; nobody waits for two time-outs in a row.
                self._fail_waiting(error)
            elif len(batch) == 1:
                if not batch[0].future.done():
                    batch[0].future.set_exception(_own_fault(error))
            else:
                middle = len(batch) // 2
                await self._settle(batch[:middle])
                await self._settle(batch[middle:])
        else:
            for call, result in zip(batch, results, strict=True):
                if not call.future.done():
                    call.future.set_result(result)

    async def _attempt(self, works: Sequence[Recording | Work]) -> list[Any]:
        """One transaction, repeated where that may help."""
        for attempt in itertools.count(1):
            try:
                return await self._transact(works)
            except Exception as error:
                self._fuse.forget()
                await self._give_up(renew=dialect.temporary(error))
                broken = getattr(error, "connection_invalidated", False)
                if not dialect.repeatable(error) or attempt >= (RECONNECTS if broken else TRIES):
                    raise
            await asyncio.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311  (not a secret)
        raise AssertionError

    async def _transact(self, works: Sequence[Recording | Work]) -> list[Any]:
        if self._connection is None:
            self._connection = await self._engine.connect()
        connection, now = self._connection, self._clock()
        results: list[Any] = []
        for recordings, group in itertools.groupby(works, key=lambda work: isinstance(work, Recording)):
            if recordings:
                found = [work for work in group if isinstance(work, Recording)]
                results += await record(connection, found, now, self._fuse)
            else:
                self._fuse.look_again()
                results += [await work.apply(connection, now) for work in group if not isinstance(work, Recording)]
        await connection.commit()
        return results

    async def _give_up(self, *, renew: bool) -> None:
        """Roll back. `renew`: the next transaction gets a new connection, the safe thing after a full disk."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            await connection.rollback()
            if renew:
                await connection.invalidate()
        except Exception:  # noqa: BLE001  (it is broken: that is why we are here)
            await connection.invalidate()
        finally:
            await connection.close()

    def _fail_waiting(self, cause: Exception) -> None:
        waiting: list[_Call] = []
        while not self._queue.empty():
            call = self._queue.get_nowait()
            if call is None:  # the end stays in the queue
                self._queue.put_nowait(None)
                break
            waiting.append(call)
        _fail(waiting, cause)


def _fail(batch: Sequence[_Call], cause: Exception) -> None:
    for call in batch:
        if not call.future.done():
            # One exception each: every caller hangs its own traceback on it.
            failure = StoreUnavailable(dialect.first_line(cause))
            failure.__cause__ = cause
            call.future.set_exception(failure)


def _own_fault(error: Exception) -> Exception:
    if not dialect.about_a_value(error):
        return error
    refused = BadRow(dialect.first_line(error))
    refused.__cause__ = error
    return refused

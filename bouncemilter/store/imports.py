"""Imports: many suppressions that others have known before us, as one batch that can be undone."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.model import Category, Cause, Scope
from bouncemilter.store.dialect import chunks, make_room
from bouncemilter.store.filter import OPT_OUTS
from bouncemilter.store.part import Part
from bouncemilter.store.pseudonym import is_pseudonym, pseudonyms
from bouncemilter.store.rows import Operation
from bouncemilter.store.schema import IMPORT_COUNTS, events, import_batches, suppression_changes, suppressions
from bouncemilter.store.suppressions import EXPIRY, log

CHUNK: Final = 4000
"""Rows in one transaction, some 0.1 s: so long a bounce waits."""
PAUSE: Final = 0.02
"""Seconds between two transactions. Another process that waits for the lock looks every 0.1 s at most."""
BESIDE: Final = 50
"""Addresses with other suppressions that are named in a piece; the rest is counted."""

_Slot = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One suppression to import."""

    line: int
    """Where it stands in the file."""
    address_key: str
    address: str
    cause: Cause
    at: dt.datetime | None
    """Since when, UTC; None: since now."""
    scope: Scope = Scope.GLOBAL
    scope_value: str = ""
    expires_at: dt.datetime | None = None
    note: str = ""
    category: Category | None = None
    diagnostic: str = ""

    @property
    def slot(self) -> _Slot:
        """What one suppression in force may stand for."""
        return self.address_key, self.scope, self.scope_value, self.cause


@dataclass(frozen=True, slots=True)
class Beside:
    """An address that is suppressed already, with another scope or cause: both are kept."""

    line: int
    address_key: str
    cause: Cause
    others: tuple[str, ...]
    """`hard global`: causes and scopes that were there before."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of one piece of the rows."""

    rows: int
    added: int
    known: int
    """Already in force, pending, or twice in the file: left as they are."""
    skipped: int
    """Their time is over."""
    beside: int
    """Of those added: so many addresses were suppressed already, otherwise."""
    named: tuple[Beside, ...]
    """The first of them."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One import."""

    id: str
    at: dt.datetime
    by: str
    file_name: str
    format: str
    added: int
    known: int
    beside: int
    """Of those added: so many addresses were suppressed already, otherwise."""
    skipped: int
    """Rows that suppress nobody: expired, subscribed, the sender's own fault."""
    rejected: int
    """Rows that could not be read."""
    finished_at: dt.datetime | None
    """None: it still runs, or was broken off."""
    undone_at: dt.datetime | None
    undone_by: str


class NoSuchBatchError(Exception):
    """There is no such import, or it was undone."""


class Imports(Part):
    """The imports of a store."""

    async def begin(self, *, by: str, file_name: str, format_: str, skipped: int, rejected: int) -> str:
        """Open a batch; its id. `skipped`, `rejected`: rows that were sorted out before."""
        found: str = await self._writer.write(_Beginning(by, file_name, format_, skipped, rejected))
        return found

    async def add(self, batch: str, by: str, found: Iterable[Row]) -> AsyncIterator[Progress]:
        """Suppress, in pieces that are committed one by one; what is in force already stays as it is.

        NoSuchBatchError where it is undone meanwhile. On StoreUnavailable the pieces so far are kept: undo them, or
        import the file again.
        """
        for piece in _pieces(found):
            progress: Progress = await self._writer.write(_Adding(batch, by, piece))
            yield progress
            await asyncio.sleep(PAUSE)

    async def preview(self, found: Iterable[Row]) -> AsyncIterator[Progress]:
        """What `add` would do; nothing is written."""
        seen: set[int] = set()
        for piece in _pieces(found):
            async with self._read() as connection:
                current = await _current(connection, {row.address_key for row in piece})
            sorting = _Sorting(piece, current, self._clock(), seen)
            yield sorting.progress

    async def finish(self, batch: str) -> Batch:
        """Close a batch; how it ended."""
        found: Batch = await self._writer.write(_Finishing(batch))
        return found

    async def undo(self, batch: str, *, by: str) -> AsyncIterator[int]:
        """End what a batch has made and what is not ended yet, in pieces: how many each. NoSuchBatchError.

        Opt-outs and complaints that the people themselves have repeated since stay.
        """
        await self._writer.write(_Marking(batch, by))
        while ended := await self._writer.write(_Ending(batch, by)):
            yield ended
            await asyncio.sleep(PAUSE)

    async def batches(self, limit: int = 1000) -> tuple[Batch, ...]:
        """The imports, newest first."""
        statement = sa.select(import_batches).order_by(import_batches.c.at.desc(), import_batches.c.id).limit(limit)
        async with self._read() as connection:
            return tuple(_batch(row) for row in (await connection.execute(statement)).mappings())


def _pieces(found: Iterable[Row]) -> Iterator[tuple[Row, ...]]:
    rows = iter(found)
    while piece := tuple(islice(rows, CHUNK)):
        yield piece


def _batch(row: sa.RowMapping) -> Batch:
    return Batch(**row)


@dataclass(frozen=True, slots=True)
class _Beginning:
    by: str
    file_name: str
    format: str
    skipped: int
    rejected: int

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> str:
        await make_room(connection)
        number = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        values = {
            "id": number,
            "at": now,
            "by": self.by,
            "file_name": self.file_name,
            "format": self.format,
            "skipped": self.skipped,
            "rejected": self.rejected,
        }
        await connection.execute(sa.insert(import_batches).values(values))
        return number


@dataclass(frozen=True, slots=True)
class _Adding:
    batch: str
    by: str
    rows: Sequence[Row]

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> Progress:
        """Add what is not in force; end what has expired in its place."""
        sorting = _Sorting(self.rows, await _current(connection, {row.address_key for row in self.rows}), now)
        await self._write(connection, now, [self._values(row, now) for row in sorting.new], sorting.over)
        done = sorting.progress
        await self._count(connection, added=done.added, known=done.known, skipped=done.skipped, beside=done.beside)
        return done

    def _values(self, row: Row, now: dt.datetime) -> dict[str, Any]:
        return {
            "address_key": row.address_key,
            "address": row.address,
            "scope": row.scope,
            "scope_value": row.scope_value,
            "cause": row.cause,
            "created_at": min(row.at, now) if row.at else now,
            "expires_at": row.expires_at,
            "created_by": self.by,
            "note": row.note,
            "category": row.category,
            "diagnostic": row.diagnostic,
            "batch": self.batch,
        }

    async def _write(
        self, connection: AsyncConnection, now: dt.datetime, new: list[dict[str, Any]], over: list[dict[str, Any]]
    ) -> None:
        if over:
            await connection.execute(_END, over)
            await log(connection, Operation.REMOVE, [each["number"] for each in over], now, EXPIRY)
        if not new:
            return
        last = (await connection.execute(sa.select(sa.func.max(suppressions.c.id)))).scalar() or 0
        await connection.execute(sa.insert(suppressions), new)
        added = (suppressions.c.batch == self.batch) & (suppressions.c.id > last)
        await _log_all(connection, Operation.ADD, added, now, self.by, f"import {self.batch}")

    async def _count(self, connection: AsyncConnection, **numbers: int) -> None:
        column = import_batches.c
        statement = sa.update(import_batches).where(column.id == self.batch, column.undone_at.is_(None))
        counted = await connection.execute(statement.values({name: column[name] + n for name, n in numbers.items()}))
        if not counted.rowcount:
            raise NoSuchBatchError(self.batch)


class _Sorting:
    """What becomes of each row, beside what is not ended of its address."""

    def __init__(
        self, found: Sequence[Row], current: dict[str, dict[_Slot, Any]], now: dt.datetime, seen: set[int] | None = None
    ) -> None:
        self.new: list[Row] = []
        self.over: list[dict[str, Any]] = []
        """What has expired and makes place."""
        named: list[Beside] = []
        beside = skipped = 0
        for row in found:
            slots = current.setdefault(row.address_key, {})
            there = slots.get(row.slot)
            if row.expires_at is not None and row.expires_at <= now:
                skipped += 1
            elif (there is None or _is_over(there, now)) and not (seen is not None and hash(row.slot) in seen):
                if there is not None:
                    self.over.append({"number": there["id"], "ended_at": there["expires_at"], "ended_by": EXPIRY})
                others = [slot for slot, each in slots.items() if slot != row.slot and not _is_over(each, now)]
                beside += bool(others)
                if others and len(named) < BESIDE:
                    words = tuple(f"{cause} {scope} {value}".rstrip() for _, scope, value, cause in others)
                    named.append(Beside(row.line, row.address_key, row.cause, words))
                new = _without_name(row, slots)
                slots[row.slot] = _NEW if new is row else {**_NEW, "address_key": new.address_key}
                self.new.append(new)
                if seen is not None:
                    seen.add(hash(row.slot))
        known = len(found) - len(self.new) - skipped
        self.progress = Progress(len(found), len(self.new), known, skipped, beside, tuple(named))


def _without_name(row: Row, slots: dict[_Slot, Any]) -> Row:
    """The row as it is kept: of an address that was forgotten, and not known again since, under its pseudonym alone."""
    names = {each["address_key"] for each in slots.values()}
    if not names or not all(map(is_pseudonym, names)):
        return row
    return replace(row, address_key=min(names), address="", note="", diagnostic="")


@dataclass(frozen=True, slots=True)
class _Finishing:
    batch: str

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> Batch:
        """Say that it is whole."""
        statement = sa.update(import_batches).where(import_batches.c.id == self.batch).values(finished_at=now)
        found = await connection.execute(statement.returning(import_batches))
        return _batch(found.mappings().one())


@dataclass(frozen=True, slots=True)
class _Marking:
    batch: str
    by: str

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> None:
        """Say that it is undone: nothing is added from now on. One that was not undone to its end goes on."""
        await make_room(connection)
        statement = sa.update(import_batches).where(import_batches.c.id == self.batch)
        column = import_batches.c
        values = {
            "undone_at": sa.func.coalesce(column.undone_at, sa.bindparam("now", now, column.undone_at.type)),
            "undone_by": sa.case((column.undone_at.is_(None), self.by), else_=column.undone_by),
        }
        if not (await connection.execute(statement.values(values))).rowcount:
            raise NoSuchBatchError(self.batch)


@dataclass(frozen=True, slots=True)
class _Ending:
    batch: str
    by: str

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> int:
        """End one piece; how many."""
        column = suppressions.c
        began = sa.select(import_batches.c.at).where(import_batches.c.id == self.batch).scalar_subquery()
        mine = (column.batch == self.batch) & column.ended_at.is_(None) & ~_asked_since(began)
        numbers = list((await connection.execute(sa.select(column.id).where(mine).limit(CHUNK))).scalars())
        for some in chunks(numbers):
            condition = suppressions.c.id.in_(some)
            await connection.execute(sa.update(suppressions).where(condition).values(ended_at=now, ended_by=self.by))
            await _log_all(connection, Operation.REMOVE, condition, now, self.by, f"undo of import {self.batch}")
        return len(numbers)


def _asked_since(began: sa.ScalarSelect[Any]) -> sa.ColumnElement[bool]:
    """Whether a person has opted out or complained since then, and nothing was added, as the import had done so."""
    column = suppressions.c
    return sa.exists().where(
        column.cause.in_(OPT_OUTS),
        events.c.address_key == column.address_key,
        events.c.at >= began,
        events.c.sentence_cause == column.cause,
        events.c.sentence_scope == column.scope,
        events.c.sentence_scope_value == column.scope_value,
    )


async def _current(connection: AsyncConnection, keys: set[str]) -> dict[str, dict[_Slot, Any]]:
    """What is not ended of these addresses, by slot; also of those that were forgotten."""
    found: dict[str, dict[_Slot, Any]] = {}
    names = await pseudonyms(connection, keys)
    for some in chunks(sorted(keys | names.keys())):
        for row in (await connection.execute(_CURRENT, {"keys": some})).mappings():
            key = names.get(row["address_key"], row["address_key"])
            found.setdefault(key, {})[key, row["scope"], row["scope_value"], row["cause"]] = row
    return found


def _is_over(row: Any, now: dt.datetime) -> bool:
    """Whether its time is over. What an incident holds back is not: the address's next message decides that."""
    return row["expires_at"] is not None and row["expires_at"] <= now and not row["pending"]


async def _log_all(
    connection: AsyncConnection,
    operation: Operation,
    condition: sa.ColumnElement[bool],
    now: dt.datetime,
    by: str,
    note: str,
) -> None:
    """Write into the change log what happened to all that match, without fetching them."""
    words = (sa.literal(each) for each in (operation.value, by, note))
    at = sa.literal(now, suppression_changes.c.at.type)
    operation_, by_, note_ = words
    found = sa.select(at, operation_, suppressions.c.id, by_, note_).where(condition).order_by(suppressions.c.id)
    names = ["at", "operation", "suppression_id", "by", "note"]
    await connection.execute(sa.insert(suppression_changes).from_select(names, found))


_NEW: Final = {"address_key": "", "expires_at": None, "pending": False}
"""In the place of a row that is written in this piece."""
assert set(IMPORT_COUNTS) <= set(Batch.__annotations__)
_CURRENT: Final = sa.select(
    suppressions.c.id,
    suppressions.c.address_key,
    suppressions.c.scope,
    suppressions.c.scope_value,
    suppressions.c.cause,
    suppressions.c.expires_at,
    suppressions.c.pending,
).where(suppressions.c.address_key.in_(sa.bindparam("keys", expanding=True)), suppressions.c.ended_at.is_(None))
_END: Final = (
    sa.update(suppressions)
    .where(suppressions.c.id == sa.bindparam("number"))
    .values(ended_at=sa.bindparam("ended_at"), ended_by=sa.bindparam("ended_by"))
)

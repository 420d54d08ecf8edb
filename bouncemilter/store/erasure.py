"""Forgetting an address: all that the store knows of it goes, and what suppresses it stays under a pseudonym."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.model import Suppression, address_hash
from bouncemilter.store import rows
from bouncemilter.store.dialect import chunks
from bouncemilter.store.mentions import Mention, Name, blot, find
from bouncemilter.store.part import Part
from bouncemilter.store.pseudonym import PREFIX, among, forgotten, pseudonym
from bouncemilter.store.rows import Operation
from bouncemilter.store.schema import events, mailed, messages, suppression_changes, suppressions, withheld
from bouncemilter.store.suppressions import in_force, log
from bouncemilter.store.writer import Writer

PIECE: Final = 200
"""Addresses that are forgotten in one transaction for their age, and rows that others are taken out of."""
_OCTETS: Final = 8
_WIPED: Final = ("address", "note", "template", "diagnostic", "message_key", "event_id")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What goes, or has gone, of one address; and what is kept of it without its name."""

    address_key: str
    events: int
    suppressions: int
    """With those that are over, and those that are kept as `blocks`."""
    blocks: tuple[Suppression, ...]
    """In force now: they stay so, without name and evidence."""
    withheld: int
    """Days and streams on which mail was withheld from it."""
    mailed: bool
    """Whether there was a record that it was written to."""
    messages: int
    """Messages to several recipients that it was one of."""
    mentions: int
    """Other rows that name it."""

    @property
    def known(self) -> bool:
        """Whether the store knew anything of it."""
        return bool(self.events or self.suppressions or self.withheld or self.mailed or self.messages or self.mentions)


class Erasure(Part):
    """The addresses that a store has forgotten, or shall."""

    def __init__(
        self,
        writer: Writer,
        read: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
        clock: Callable[[], dt.datetime],
        secret: bytes,
    ) -> None:
        super().__init__(writer, read, clock)
        self._secret = secret

    async def look(self, keys: Sequence[str]) -> list[Forgotten]:
        """What would go of addresses (address keys, each once). Reads all events, once for all of them."""
        async with self._read() as connection:
            mentions = await _mentions(connection, keys)
            named = Counter(key for each in mentions for key in each.named)
            return [await _look(connection, key, named[key], self._clock()) for key in keys]

    async def forget(self, keys: Sequence[str], *, by: str) -> list[Forgotten]:
        """Do it; what has gone. What is in force stays so under the pseudonym, also where it was so before.

        In small transactions: what was broken off is finished by doing it again.
        """
        async with self._read() as connection:
            mentions = await _mentions(connection, keys)
        named = Counter(key for each in mentions for key in each.named)
        works = [_Forgetting(key, pseudonym(self._secret, key), named[key], by) for key in keys]
        done = [await self._writer.write(work) for work in works]
        for table, rows_of in groupby(mentions, key=lambda each: each.table):
            some = list(rows_of)
            for start in range(0, len(some), PIECE):
                await self._writer.write(_Blotting(table, tuple(some[start : start + PIECE])))
        return done

    async def forget_older(self, before: dt.datetime) -> int:
        """Keep suppressions without name and evidence whose address has none since `before`; of how many addresses.

        Their events must be gone: these are not looked at. A read of all suppressions, then small transactions.
        """
        later, column = suppressions.alias(), suppressions.c
        since = sa.exists().where(later.c.address_key == column.address_key, later.c.created_at >= before)
        statement = (
            sa.select(column.address_key).distinct().where(column.created_at < before, ~among(column.address_key))
        )
        async with self._read() as connection:
            keys = list((await connection.execute(statement.where(~since, ~column.pending))).scalars())
        for start in range(0, len(keys), PIECE):
            names = {key: pseudonym(self._secret, key) for key in keys[start : start + PIECE]}
            await self._writer.write(_Fading(names))
        return len(keys)

    async def blocks(self) -> int:
        """How many suppressions in force are those of forgotten addresses."""
        condition = forgotten(suppressions.c.address_key) & in_force(self._clock())
        async with self._read() as connection:
            statement = sa.select(sa.func.count()).select_from(suppressions).where(condition)
            return (await connection.execute(statement)).scalar() or 0


@dataclass(frozen=True, slots=True)
class _Blotting:
    table: sa.Table
    mentions: tuple[Mention, ...]

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> None:  # noqa: ARG002  (Work's signature)
        """Write it."""
        names = [Name(key) for key in dict.fromkeys(key for each in self.mentions for key in each.named)]
        await blot(connection, self.table, [each.number for each in self.mentions], names)


@dataclass(frozen=True, slots=True)
class _Fading:
    pseudonyms: dict[str, str]
    """By address key."""

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> None:
        """Write it."""
        for key, name in self.pseudonyms.items():
            await _rename(connection, key, name, now, "retention")


@dataclass(frozen=True, slots=True)
class _Forgetting:
    address_key: str
    pseudonym: str
    mentions: int
    by: str

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> Forgotten:
        """Write it."""
        found = await _look(connection, self.address_key, self.mentions, now)
        await _rename(connection, self.address_key, self.pseudonym, now, self.by)
        await connection.execute(sa.delete(events).where(events.c.address_key == self.address_key))
        await connection.execute(sa.delete(withheld).where(withheld.c.address_key == self.address_key))
        number = address_hash(self.address_key)
        await connection.execute(sa.delete(mailed).where(mailed.c.address == number))
        for nonce, recipients in await _messages(connection, number):
            await _without(connection, nonce, recipients, number)
        return found


async def _rename(connection: AsyncConnection, key: str, name: str, now: dt.datetime, by: str) -> None:
    """The suppressions in force of an address get the pseudonym `name`; the rest stands for nobody.

    None is deleted: the change log names them.
    """
    standing = {_slot(each): each for each in await _of(connection, name) if each.ended_at is None}
    kept, over = [], []
    for each in await _of(connection, key):
        before = standing.get(_slot(each))
        if not each.in_force(now) or (before and before.in_force(now) and not _outlives(each, before)):
            over.append(each.id)
            continue
        if before:
            over.append(before.id)
        kept.append(each.id)
    wiped: dict[str, Any] = dict.fromkeys(_WIPED, "")
    ended = suppressions.c.ended_at
    for some in chunks(over):
        values = {
            "address_key": PREFIX,
            "pending": False,
            "ended_at": sa.func.coalesce(ended, sa.bindparam("now", now, ended.type)),
            "ended_by": sa.case((ended.is_(None), by), else_=suppressions.c.ended_by),
        }
        await connection.execute(_rows(some).values(values | wiped))
    for some in chunks(kept):
        await connection.execute(_rows(some).values({"address_key": name} | wiped))
    for some in chunks(over + kept):
        condition = suppression_changes.c.suppression_id.in_(some)
        await connection.execute(sa.update(suppression_changes).where(condition).values(note=""))
    await log(connection, Operation.ADD, kept, now, by, "forgotten")


def _rows(numbers: Iterable[int]) -> sa.Update:
    return sa.update(suppressions).where(suppressions.c.id.in_(numbers))


def _slot(each: Suppression) -> tuple[str, str, str]:
    return each.scope, each.scope_value, each.cause


def _outlives(one: Suppression, other: Suppression) -> bool:
    if other.expires_at is None:
        return False
    return one.expires_at is None or one.expires_at > other.expires_at


async def _of(connection: AsyncConnection, key: str) -> list[Suppression]:
    statement = sa.select(suppressions).where(suppressions.c.address_key == key).order_by(suppressions.c.id)
    return [rows.suppression(row) for row in (await connection.execute(statement)).mappings()]


async def _look(connection: AsyncConnection, key: str, mentions: int, now: dt.datetime) -> Forgotten:
    async def count(table: sa.Table, condition: sa.ColumnElement[bool]) -> int:
        return (await connection.execute(sa.select(sa.func.count()).select_from(table).where(condition))).scalar() or 0

    number, found = address_hash(key), await _of(connection, key)
    return Forgotten(
        address_key=key,
        events=await count(events, events.c.address_key == key),
        suppressions=len(found),
        blocks=tuple(each for each in found if each.in_force(now)),
        withheld=await count(withheld, withheld.c.address_key == key),
        mailed=bool(await count(mailed, mailed.c.address == number)),
        messages=len(await _messages(connection, number)),
        mentions=mentions,
    )


async def _messages(connection: AsyncConnection, number: int) -> list[tuple[str, bytes]]:
    """The messages that went to an address: nonce and recipients."""
    wanted = number.to_bytes(_OCTETS, "big", signed=True)
    # SQLite's instr finds octets in octets: a million messages take a second.
    statement = sa.select(messages.c.nonce, messages.c.recipients).where(
        sa.func.instr(messages.c.recipients, wanted) > 0
    )
    found = []
    async for nonce, octets in await connection.stream(statement):
        if any(octets[start : start + _OCTETS] == wanted for start in range(0, len(octets), _OCTETS)):
            found.append((nonce, octets))
    return found


async def _without(connection: AsyncConnection, nonce: str, octets: bytes, number: int) -> None:
    """Take an address out of a message's recipients."""
    gone = number.to_bytes(_OCTETS, "big", signed=True)
    each = [octets[start : start + _OCTETS] for start in range(0, len(octets), _OCTETS)]
    left = b"".join(one for one in each if one != gone)
    condition = messages.c.nonce == nonce
    if left:
        await connection.execute(sa.update(messages).where(condition).values(recipients=left))
    else:
        await connection.execute(sa.delete(messages).where(condition))


async def _mentions(connection: AsyncConnection, keys: Sequence[str]) -> list[Mention]:
    return [each async for each in find(connection, keys)]

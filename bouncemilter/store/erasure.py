"""Forgetting an address: all that the store knows of it goes, and what suppresses it stays under a pseudonym."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.model import Suppression, address_hash
from bouncemilter.store import rows
from bouncemilter.store.dialect import chunks
from bouncemilter.store.pseudonym import PREFIX, among, forgotten, pseudonym
from bouncemilter.store.rows import Operation
from bouncemilter.store.schema import (
    events,
    incidents,
    mailed,
    messages,
    suppression_changes,
    suppressions,
    withheld,
)
from bouncemilter.store.suppressions import in_force, log
from bouncemilter.store.writer import Writer

INSTEAD: Final = "[forgotten]"
"""What stands for the address in the evidence of others."""
PIECE: Final = 200
"""Addresses that are forgotten in one transaction for their age."""
_OCTETS: Final = 8
_WIPED: Final = ("address", "note", "template", "diagnostic", "message_key", "event_id")
_TEXTS: Final[tuple[tuple[sa.Table, tuple[str, ...]], ...]] = (
    (
        events,
        (
            "envelope_recipient",
            "envelope_sender",
            "reported_address",
            "template",
            "diagnostic",
            "reason",
            "message_key",
            "returned_message_id",
            "returned_sender",
            "returned_to",
            "returned_subject",
            "returned_return_path",
            "report_message_id",
            "excerpt",
            "new_address",
        ),
    ),
    (suppressions, ("note", "template", "diagnostic", "message_key", "reason")),
    (suppression_changes, ("note",)),
    (incidents, ("template", "reason", "note")),
)
"""Where an address may be named that the row is not about."""


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


class Erasure:
    """The addresses that a store has forgotten, or shall."""

    def __init__(
        self,
        writer: Writer,
        read: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
        clock: Callable[[], dt.datetime],
        secret: bytes,
    ) -> None:
        self._writer = writer
        self._read = read
        self._clock = clock
        self._secret = secret

    async def look(self, address_key: str) -> Forgotten:
        """What would go. Reads all events, page by page."""
        async with self._read() as connection:
            mentions = [each async for each in _mentions(connection, address_key)]
            return await _look(connection, address_key, len(mentions), self._clock())

    async def forget(self, address_key: str, *, by: str) -> Forgotten:
        """Do it; what has gone. What is in force stays so under the pseudonym, also where it was so before."""
        async with self._read() as connection:
            mentions = tuple([each async for each in _mentions(connection, address_key)])
        work = _Forgetting(address_key, pseudonym(self._secret, address_key), mentions, by)
        done: Forgotten = await self._writer.write(work)
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
class _Mention:
    table: sa.Table
    number: Any
    """Its primary key."""
    texts: dict[str, str]
    """The columns as they shall be."""


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
    mentions: tuple[_Mention, ...]
    by: str

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> Forgotten:
        """Write it."""
        found = await _look(connection, self.address_key, len(self.mentions), now)
        await _rename(connection, self.address_key, self.pseudonym, now, self.by)
        await connection.execute(sa.delete(events).where(events.c.address_key == self.address_key))
        await connection.execute(sa.delete(withheld).where(withheld.c.address_key == self.address_key))
        number = address_hash(self.address_key)
        await connection.execute(sa.delete(mailed).where(mailed.c.address == number))
        for nonce, recipients in await _messages(connection, number):
            await _without(connection, nonce, recipients, number)
        for each in self.mentions:
            key = _key(each.table)
            await connection.execute(sa.update(each.table).where(key == each.number).values(each.texts))
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
    statement = sa.select(messages.c.nonce, messages.c.recipients)
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


async def _mentions(connection: AsyncConnection, key: str) -> AsyncIterator[_Mention]:
    """The rows about others that name an address, and how their texts read without it."""
    pattern = _pattern(key)
    for table, names in _TEXTS:
        columns = [table.c[name] for name in names]
        statement = sa.select(_key(table), *columns).where(sa.or_(*(each for each in _likely(columns, key))))
        if "address_key" in table.c:
            statement = statement.where(table.c.address_key != key)
        async for number, *texts in await connection.stream(statement):
            changed = {
                name: pattern.sub(INSTEAD, text)
                for name, text in zip(names, texts, strict=True)
                if pattern.search(text)
            }
            if changed:
                yield _Mention(table, number, changed)


def _likely(columns: Iterable[sa.Column[str]], key: str) -> Iterator[sa.ColumnElement[bool]]:
    """Whether a column may name an address; what SQL can say without knowing where an address begins."""
    for column in columns:
        # The letters that SQL's lower() may not know are matched by any.
        for form in (key, key.replace("@", "=")):
            yield column.ilike(f"%{''.join(_literal(char) for char in form)}%", escape="\\")


def _literal(char: str) -> str:
    if char in "\\%_":
        return f"\\{char}"
    return char if char.isascii() else "_"


def _pattern(key: str) -> re.Pattern[str]:
    """An address as written, or as a return path of ours holds it; not as the end or the beginning of another one."""
    local, _, domain = key.rpartition("@")
    one, two = re.escape(local), re.escape(domain)
    return re.compile(rf"(?:(?<![\w.+=/-]){one}@|(?<![\w./]){one}=){two}(?![\w-]|\.\w)", re.IGNORECASE)


def _key(table: sa.Table) -> sa.Column[Any]:
    (column,) = table.primary_key.columns
    return column

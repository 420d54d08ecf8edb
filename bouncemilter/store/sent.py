"""Records of the mail that was sent: to whom on which days, how much, and whom a message went to."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.model import Sent, SentDays, Withheld, Withholding, address_hash
from bouncemilter.model.sent import DAYS_KEPT
from bouncemilter.store.dialect import chunks, insert_or_update
from bouncemilter.store.schema import mailed, messages, sent_counts, withheld

if TYPE_CHECKING:
    from bouncemilter.store.writer import Writer

_EPOCH: Final = dt.date(1970, 1, 1)
_MASK: Final = (1 << DAYS_KEPT) - 1
_OCTETS: Final = 8
ROWS: Final = 1000
"""Of withheld mail that are read unless more are asked for."""


class SentMail:
    """The mail that left, and that did not, as a store has it."""

    def __init__(self, writer: Writer, read: Callable[[], AbstractAsyncContextManager[AsyncConnection]]) -> None:
        self._writer = writer
        self._read = read

    async def record(self, found: Sequence[Sent]) -> None:
        """Count mail that was accepted to be sent, and note its day for each address; returns after the commit."""
        if found:
            await self._writer.write(Sending(tuple(found)))

    async def record_withheld(self, found: Sequence[Withheld]) -> None:
        """Count outgoing mail that suppressed addresses did not get; returns after the commit."""
        if found:
            await self._writer.write(Keeping(tuple(found)))

    async def withheld_from(self, address_key: str, limit: int = ROWS) -> tuple[Withheld, ...]:
        """The outgoing mail that an address did not get, by day, newest first."""
        async with self._read() as connection:
            return await withheld_from(connection, address_key, limit)

    async def record_message(self, nonce: str, recipients: Iterable[str]) -> None:
        """Note whom (address keys) a message goes to whose return path names nobody; returns after the commit."""
        await self._writer.write(Addressing(nonce, frozenset(address_hash(each) for each in recipients)))

    async def recipients(self, nonce: str) -> frozenset[int]:
        """model.address_hash of each of a message's recipients; empty where the message is unknown or too old."""
        async with self._read() as connection:
            return await recipients(connection, nonce)


@dataclass(frozen=True, slots=True)
class Sending:
    """Mail that was accepted to be sent."""

    sent: tuple[Sent, ...]

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> None:  # noqa: ARG002  (Work's signature)
        """Count it, and note the days of each address."""
        counts: Counter[tuple[object, ...]] = Counter()
        days: dict[int, set[int]] = {}
        for each in self.sent:
            day = each.at.astimezone(dt.UTC).date()
            counts[day, each.stream, each.sender_domain, each.list_id, each.campaign, each.provider] += 1
            days.setdefault(address_hash(each.address_key), set()).add((day - _EPOCH).days)
        names = [column.name for column in sent_counts.primary_key.columns]
        rows = [dict(zip(names, key, strict=True)) | {"n": n} for key, n in counts.items()]
        if rows:
            rows.sort(key=lambda row: tuple(str(value) for value in row.values()))
            await connection.execute(insert_or_update(connection, sent_counts, "n", add=True), rows)
        await _note(connection, days)


async def _note(connection: AsyncConnection, new: dict[int, set[int]]) -> None:
    known = await _rows(connection, new)
    added, changed = [], []
    for address in sorted(new):
        before = known.get(address)
        after = _joined(before, new[address])
        if before is None:
            added.append({"address": address} | after)
        elif after != before:
            changed.append({"number": address} | after)
    if added:
        # Another server may have been quicker; then a day is noted twice, or missed once.
        await connection.execute(insert_or_update(connection, mailed, "last_day"), added)
    if changed:
        await connection.execute(_CHANGE, changed)


def _joined(row: dict[str, int] | None, new: set[int]) -> dict[str, int]:
    """The columns of an address with days added."""
    first, last, days = (row["first_day"], row["last_day"], row["days"]) if row else (min(new), min(new), 0)
    for day in sorted(new):
        if day > last:
            last, days = day, days << min(day - last, DAYS_KEPT) & _MASK
        if last - day < DAYS_KEPT:
            days |= 1 << (last - day)
        first = min(first, day)
    return {"first_day": first, "last_day": last, "days": days}


async def days(connection: AsyncConnection, addresses: Iterable[int]) -> dict[int, SentDays]:
    """The days on which addresses (model.address_hash) were written to; those that never were are left out."""
    found = await _rows(connection, addresses)
    return {
        address: SentDays(_day(row["first_day"]), _day(row["last_day"]), row["days"]) for address, row in found.items()
    }


async def _rows(connection: AsyncConnection, addresses: Iterable[int]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for some in chunks(sorted(addresses)):
        for row in (await connection.execute(_DAYS, {"addresses": some})).mappings():
            found[row["address"]] = {name: row[name] for name in ("first_day", "last_day", "days")}
    return found


def _day(number: int) -> dt.date:
    return _EPOCH + dt.timedelta(days=number)


@dataclass(frozen=True, slots=True)
class Addressing:
    """A message for several recipients, with one return path."""

    nonce: str
    recipients: frozenset[int]

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> None:
        """Write it."""
        octets = b"".join(each.to_bytes(_OCTETS, "big", signed=True) for each in sorted(self.recipients))
        statement = insert_or_update(connection, messages, "recipients")
        await connection.execute(statement, {"nonce": self.nonce, "at": now, "recipients": octets})


async def recipients(connection: AsyncConnection, nonce: str) -> frozenset[int]:
    """Whom a message went to, by model.address_hash; nobody where it is unknown."""
    statement = sa.select(messages.c.recipients).where(messages.c.nonce == nonce)
    octets = (await connection.execute(statement)).scalar() or b""
    return frozenset(
        int.from_bytes(octets[start : start + _OCTETS], "big", signed=True) for start in range(0, len(octets), _OCTETS)
    )


@dataclass(frozen=True, slots=True)
class Keeping:
    """Outgoing mail that was withheld from suppressed addresses."""

    found: tuple[Withheld, ...]

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> None:  # noqa: ARG002  (Work's signature)
        """Count it."""
        counts: Counter[tuple[object, ...]] = Counter()
        for each in self.found:
            counts[each.address_key, each.day, each.stream, each.action, each.cause] += each.n
        names = [column.name for column in withheld.primary_key.columns]
        rows = [dict(zip(names, key, strict=True)) | {"n": n} for key, n in counts.items()]
        rows.sort(key=lambda row: tuple(str(value) for value in row.values()))
        await connection.execute(insert_or_update(connection, withheld, "n", add=True), rows)


async def withheld_from(connection: AsyncConnection, address_key: str, limit: int) -> tuple[Withheld, ...]:
    """What one address did not get, newest day first."""
    statement = sa.select(withheld).where(withheld.c.address_key == address_key).limit(limit)
    statement = statement.order_by(withheld.c.day.desc(), withheld.c.stream, withheld.c.action)
    found = (await connection.execute(statement)).mappings()
    return tuple(
        Withheld(row["day"], row["address_key"], row["stream"], Withholding(row["action"]), row["cause"], row["n"])
        for row in found
    )


_DAYS: Final = sa.select(mailed).where(mailed.c.address.in_(sa.bindparam("addresses", expanding=True)))
_CHANGE: Final = (
    sa.update(mailed)
    .where(mailed.c.address == sa.bindparam("number"))
    .values({name: sa.bindparam(name) for name in ("first_day", "last_day", "days")})
)

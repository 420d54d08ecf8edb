"""Deleting what was kept long enough."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.model import Kind
from bouncemilter.store.ledger import MARKS_WINDOW
from bouncemilter.store.schema import events, mailed, messages, withheld

PIECE: Final = 1000
"""Rows deleted in one transaction: recording goes on between the pieces."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept. Counts and event ids are kept for good."""

    events: dt.timedelta = dt.timedelta(days=400)
    """A year, and a month to look back on it."""
    excerpts: dt.timedelta = dt.timedelta(days=30)
    """People's words in a message."""
    auto_reply_excerpts: dt.timedelta = dt.timedelta(days=14)
    """They tell where somebody is, and until when."""
    messages: dt.timedelta = dt.timedelta(days=32)
    """Whom messages went to: the 30 days that a token lives, and two for reports that come late."""
    addresses: dt.timedelta | None = None
    """Suppressions with their address and evidence; then only their pseudonym. None: for good."""

    def __post_init__(self) -> None:
        if self.events < MARKS_WINDOW:
            raise ValueError(f"events are counted for {MARKS_WINDOW.days} days; they cannot be deleted earlier")


@dataclass(frozen=True, slots=True)
class Purged:
    """How many events were deleted, and of how many the excerpt."""

    events: int
    excerpts: int


@dataclass(frozen=True, slots=True)
class Deleting:
    """One piece of the events before `before`."""

    before: dt.datetime

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> int:  # noqa: ARG002  (Work's signature)
        """Delete them; how many there were."""
        some = sa.select(events.c.id).where(events.c.at < self.before).limit(PIECE)
        return (await connection.execute(sa.delete(events).where(events.c.id.in_(some)))).rowcount


@dataclass(frozen=True, slots=True)
class Blanking:
    """One piece of the excerpts of events before `before`, of one kind or of all."""

    before: dt.datetime
    kind: Kind | None = None

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> int:  # noqa: ARG002  (Work's signature)
        """Empty them; how many there were."""
        some = sa.select(events.c.id).where(events.c.at < self.before, events.c.excerpt != sa.literal_column("''"))
        if self.kind:
            some = some.where(events.c.kind == self.kind)
        statement = sa.update(events).where(events.c.id.in_(some.limit(PIECE))).values(excerpt="")
        return (await connection.execute(statement)).rowcount


@dataclass(frozen=True, slots=True)
class Forgetting:
    """One piece of the records of sent mail that nothing asks for any more."""

    before: dt.datetime
    """Messages up to here, and addresses not written to since `silent`."""
    silent: dt.date

    async def apply(self, connection: AsyncConnection, now: dt.datetime) -> int:  # noqa: ARG002  (Work's signature)
        """Delete them; how many there were."""
        old = sa.select(messages.c.nonce).where(messages.c.at < self.before).limit(PIECE)
        done = (await connection.execute(sa.delete(messages).where(messages.c.nonce.in_(old)))).rowcount
        day = (self.silent - dt.date(1970, 1, 1)).days
        unknown = sa.select(mailed.c.address).where(mailed.c.last_day < day).limit(PIECE)
        gone = (await connection.execute(sa.delete(mailed).where(mailed.c.address.in_(unknown)))).rowcount
        return max(done, gone, await self._withheld(connection))

    async def _withheld(self, connection: AsyncConnection) -> int:
        days = sa.select(withheld.c.day).where(withheld.c.day < self.silent).limit(1)
        oldest = (await connection.execute(days)).scalar()
        if oldest is None:
            return 0
        return (await connection.execute(sa.delete(withheld).where(withheld.c.day == oldest))).rowcount

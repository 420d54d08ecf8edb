"""Every suppression in force, in one go: for a list that is held against all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.model import Suppression
from bouncemilter.store import rows
from bouncemilter.store.schema import suppressions
from bouncemilter.store.suppressions import in_force

PAGE: Final = 20_000
"""Rows of a page. They are short, and a page costs more than a thousand of them."""
NUMBERS: Final = 5000
"""Ids of one question: SQLite takes 32,766 values since 3.32 (SQLITE_MAX_VARIABLE_NUMBER)."""

Entry = tuple[int, str, str, str, str]
"""(id, address key, scope, scope value, cause)."""


class Roster:
    """The suppressions in force, as little of each as a decision needs; and the whole of some."""

    def __init__(
        self, read: Callable[[], AbstractAsyncContextManager[AsyncConnection]], clock: Callable[[], dt.datetime]
    ) -> None:
        self._read = read
        self._clock = clock

    async def entries(self) -> AsyncIterator[Sequence[Entry]]:
        """All in force now, by id, page by page."""
        after, now = 0, self._clock()
        column = suppressions.c
        statement = (
            sa.select(column.id, column.address_key, column.scope, column.scope_value, column.cause)
            .where(in_force(now), column.id > sa.bindparam("after"))
            .order_by(column.id)
            .limit(PAGE)
        )
        while True:
            async with self._read() as connection:
                found: Sequence[Any] = (await connection.execute(statement, {"after": after})).all()
            yield found
            if len(found) < PAGE:
                return
            after = found[-1][0]

    async def evidence(self, numbers: Sequence[int]) -> dict[int, Suppression]:
        """The suppressions of these ids, ended ones too."""
        wanted, found = sorted(set(numbers)), {}
        for start in range(0, len(wanted), NUMBERS):
            statement = sa.select(suppressions).where(suppressions.c.id.in_(wanted[start : start + NUMBERS]))
            async with self._read() as connection:
                for row in (await connection.execute(statement)).mappings():
                    each = rows.suppression(row)
                    found[each.id] = each
        return found

"""Every suppression in force, in one go: for a list that is held against all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from bouncemilter.model import Cause, Scope, Suppression
from bouncemilter.store import rows
from bouncemilter.store.part import ReadingPart
from bouncemilter.store.pseudonym import is_pseudonym
from bouncemilter.store.schema import suppressions
from bouncemilter.store.suppressions import in_force

PAGE: Final = 20_000
"""Rows of a page. They are short, and a page costs more than a thousand of them."""
NUMBERS: Final = 5000
"""Ids of one question: SQLite takes 32,766 values since 3.32 (SQLITE_MAX_VARIABLE_NUMBER)."""

Entry = tuple[int, str, str, str, str]
"""(id, address key, scope, scope value, cause)."""
Rank = Callable[[Scope, str, Cause], int | None]
"""Of a kind of suppression (scope, its value, cause): how early it is told of; None where it refuses nothing."""
_ID_BITS: Final = 48


@dataclass(slots=True)
class RefusedAddresses:
    """The addresses (keys) that a mailing may not go to."""

    entries: dict[str, int] = field(default_factory=dict)
    """The suppression that is told of: its rank and its id in one number, since there may be millions; see below."""
    elsewhere: set[str] = field(default_factory=set)
    """Suppressed, but by nothing that refuses the mailing."""
    pseudonym: Callable[[str], str] | None = None
    """What stands above for an address that was forgotten; None where nobody was."""


def number(entry: int) -> int:
    """The id of the suppression that is told of."""
    return entry & (1 << _ID_BITS) - 1


def rank(entry: int) -> int:
    """Its rank."""
    return entry >> _ID_BITS


class Roster(ReadingPart):
    """The suppressions in force, as little of each as a decision needs; and the whole of some."""

    async def refused(self, rank_of: Rank) -> RefusedAddresses:
        """Whom a mailing may not go to now, as `rank_of` says of each kind of suppression."""
        found, ranks = RefusedAddresses(), dict[tuple[str, str, str], int | None]()
        entries = found.entries
        async for page in self.entries():
            for identity, key, scope, value, cause in page:
                kind = scope, value, cause
                if kind not in ranks:
                    ranks[kind] = rank_of(Scope(scope), value, Cause(cause))
                if found.pseudonym is None and is_pseudonym(key):
                    found.pseudonym = self._pseudonym
                place = ranks[kind]
                if place is None:
                    found.elsewhere.add(key)
                else:
                    entry = place << _ID_BITS | identity
                    entries[key] = min(entries.get(key, entry), entry)
        found.elsewhere -= entries.keys()
        return found

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

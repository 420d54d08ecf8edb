"""Which suppressions, and which watched addresses, are meant: in SQL, all values bound."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from bouncemilter.model import CLASS_OF, Category, Cause, Class, Scope
from bouncemilter.store.pseudonym import among
from bouncemilter.store.schema import events, suppressions
from bouncemilter.store.suppressions import EXPIRY, in_force, pending

OPT_OUTS: Final = (Cause.UNSUBSCRIBE, Cause.COMPLAINT)
"""What people have asked for themselves."""


class State(StrEnum):
    """How a suppression stands."""

    IN_FORCE = "in-force"
    PENDING = "pending"
    """An incident holds it back."""
    EXPIRED = "expired"
    REMOVED = "removed"
    """By somebody, or because the address's next message has decided it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What is listed; None and empty match any. `state` None: those in force and those that are pending."""

    cause: Cause | None = None
    class_: Class | None = None
    category: Category | None = None
    domain: str = ""
    """The address key's domain, as A-label in lower case."""
    provider: str = ""
    """The registrable domain (domain.registrable) of the address."""
    scope: Scope | None = None
    scope_value: str = ""
    """The sender domain or List-ID of the scope, as suppressions have it."""
    since: dt.datetime | None = None
    """Suppressed then or later; of a watched address, its last failure."""
    until: dt.datetime | None = None
    """Suppressed before then."""
    list_id: str = ""
    """Suppressed for this list, or by mail of it, as long as its event is kept."""
    campaign: str = ""
    """Suppressed by mail of this campaign, as long as its event is kept."""
    sender_domain: str = ""
    """Suppressed for mail of this domain, or by it, as long as its event is kept."""
    batch: str = ""
    """Made by this import."""
    opt_outs: bool = True
    """Whether unsubscribed and complained are among them."""
    state: State | None = State.IN_FORCE

    def condition(self, now: dt.datetime) -> sa.ColumnElement[bool]:
        """For a query of `suppressions`. Those of forgotten addresses never match."""
        column = suppressions.c
        found = [_STATE[self.state](now), ~among(column.address_key), *self._of(column.address_key, column.category)]
        if self.cause:
            found.append(column.cause == self.cause)
        if not self.opt_outs:
            found.append(column.cause.not_in(OPT_OUTS))
        if self.scope:
            found.append(column.scope == self.scope)
        if self.scope_value:
            found.append(column.scope_value == self.scope_value)
        if self.since:
            found.append(column.created_at >= self.since)
        if self.until:
            found.append(column.created_at < self.until)
        if self.batch:
            found.append(column.batch == self.batch)
        if self.list_id:
            found.append(_scoped(Scope.LIST, self.list_id) | _caused(events.c.returned_list_id == self.list_id))
        if self.sender_domain:
            name = self.sender_domain
            found.append(_scoped(Scope.SENDER, name) | _caused(events.c.sender_domain == name))
        if self.campaign:
            found.append(_caused(events.c.returned_campaign == self.campaign))
        return sa.and_(*found)

    def watched_condition(self, marks: sa.Subquery) -> sa.ColumnElement[bool]:
        """For a query of the last failures of watched addresses; what only a suppression has is left out."""
        column = marks.c
        found = [sa.true(), *self._of(column.address_key, column.category)]
        if self.since:
            found.append(column.at >= self.since)
        if self.until:
            found.append(column.at < self.until)
        if self.list_id:
            found.append(column.returned_list_id == self.list_id)
        if self.sender_domain:
            found.append(column.sender_domain == self.sender_domain)
        if self.campaign:
            found.append(column.returned_campaign == self.campaign)
        return sa.and_(*found)

    def _of(self, key: sa.ColumnElement[str], category: sa.ColumnElement[str | None]) -> list[sa.ColumnElement[bool]]:
        found: list[sa.ColumnElement[bool]] = []
        if self.category:
            found.append(category == self.category)
        if self.class_:
            found.append(category.in_([each for each in Category if CLASS_OF[each] is self.class_]))
        if self.domain:
            found.append(key.endswith(f"@{self.domain}", autoescape=True))
        if self.provider:
            # No @ stands in a domain: what ends so, ends within it.
            at, below = f"@{self.provider}", f".{self.provider}"
            found.append(key.endswith(at, autoescape=True) | key.endswith(below, autoescape=True))
        return found


def _scoped(scope: Scope, value: str) -> sa.ColumnElement[bool]:
    return (suppressions.c.scope == scope) & (suppressions.c.scope_value == value)


def _caused(by: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether the event that suppressed is such."""
    return sa.exists().where(events.c.id == suppressions.c.event_id, by)


def _expired(now: dt.datetime) -> sa.ColumnElement[bool]:
    over = suppressions.c.ended_at.is_(None) & (suppressions.c.expires_at <= now)
    return over | (suppressions.c.ended_by == EXPIRY)


def _removed(_now: dt.datetime) -> sa.ColumnElement[bool]:
    return suppressions.c.ended_at.is_not(None) & (suppressions.c.ended_by != EXPIRY)


_STATE: Final[dict[State | None, Callable[[dt.datetime], sa.ColumnElement[bool]]]] = {
    State.IN_FORCE: in_force,
    State.PENDING: pending,
    State.EXPIRED: _expired,
    State.REMOVED: _removed,
    None: lambda now: in_force(now) | pending(now),
}

"""Who of a foreign list is suppressed here, and why."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bouncemilter import address, limits, text
from bouncemilter.exchange.blame import Judge, is_senders
from bouncemilter.exchange.record import Bad, Entry, Skip
from bouncemilter.lists import addresses
from bouncemilter.model import Cause, Class, Scope
from bouncemilter.store import Row

SENDERS_FAULT: Final = "the sender's own fault: blocked, not dead"
KEPT: Final = 50
"""Rows that could not be read and are named; the rest is counted."""
_REPLACED: Final = "\ufffd"
"""Stands where octets were that are no text."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the operator says about a list."""

    cause: Cause | None = None
    """Of rows that name none, and of those that would be skipped as the sender's own fault."""
    reach: tuple[Scope, str] | None = None
    """The scope of rows that name none."""
    note: str = ""


@dataclass(slots=True)
class ImportFilter:
    """Takes of a list what is to be suppressed; the rest is counted."""

    judge: Judge
    options: ImportOptions
    fold: bool
    soft_expiry: dt.timedelta
    now: dt.datetime
    taken: Counter[Cause] = field(default_factory=Counter)
    undated: int = 0
    """Rows of `taken` without a date that could be read: they count from now."""
    skipped: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)
    """The first rows that could not be read, by number, and why."""

    def rows(self, number: int, found: Entry | Skip | Bad) -> Sequence[Row]:
        """The suppressions to import: none, one, or one for each address in the cell."""
        if isinstance(found, Bad):
            self._reject(number, found.reason)
            return ()
        if isinstance(found, Skip):
            self.skipped[found.reason] += 1
            return ()
        key, written = self._address(found.address)
        if key and _REPLACED not in key:
            row = self._row(number, found, key, written)
            return (row,) if row else ()
        named = () if key else tuple(map(self._address, addresses(found.address)))
        if not named or any(_REPLACED in key for key, _ in named):
            shown = text.visible(found.address[:80])
            self._reject(number, f"not an e-mail address: {shown}" if shown.strip() else "no address")
            return ()
        rows = (self._row(number, found, key, written) for key, written in named)
        return [row for row in rows if row]

    def _address(self, written: str) -> tuple[str, str]:
        """The key of an address, empty where it is none, and the address without what stands around it."""
        key = address.key(written, fold_local_part=self.fold)
        if not key or key == written.lower():  # as almost all are: nothing stands around it
            return key, written
        return key, str(address.split(written))

    def _row(self, number: int, found: Entry, key: str, written: str) -> Row | None:
        cause, category = found.cause, found.category
        diagnostic = text.clean(found.diagnostic, limits.DIAGNOSTIC) if found.diagnostic else ""
        if diagnostic and category is None:
            category = self.judge.category(diagnostic, found.status)
        if found.blocked or (found.doubted and is_senders(category)):
            if self.options.cause is None:
                self.skipped[SENDERS_FAULT] += 1
                return None
            cause = self.options.cause
        elif found.doubted and category and category.class_ is Class.SOFT:
            cause = Cause.SOFT
        cause = cause or self.options.cause or Cause.MANUAL
        at = found.at
        expires = found.expires_at
        if cause is Cause.SOFT and expires is None:
            expires = (at or self.now) + self.soft_expiry
        scope, value = self._reach(found)
        self.taken[cause] += 1
        self.undated += at is None
        note = text.clean(" ".join(filter(None, (self.options.note, found.note))), limits.DIAGNOSTIC)
        return Row(number, key, written, cause, at, scope, value, expires, note, category, diagnostic)

    def _reach(self, found: Entry) -> tuple[Scope, str]:
        if found.scope is Scope.GLOBAL:
            return Scope.GLOBAL, ""
        value = text.clean(found.scope_value, limits.SUBJECT).lower() if found.scope else ""
        return (found.scope, value) if found.scope and value else self.options.reach or (Scope.GLOBAL, "")

    def _reject(self, number: int, reason: str) -> None:
        self.rejected += 1
        if len(self.faults) < KEPT:
            self.faults.append((number, reason))

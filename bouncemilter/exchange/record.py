"""What a row of a foreign list says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from bouncemilter.model import Category, Cause, Scope

Record = Mapping[str, str]
"""A row: by column (folded by `fold`), its text."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An address that somebody does not write to."""

    address: str
    """As written; perhaps none at all."""
    cause: Cause | None = None
    """None where the list does not say."""
    at: dt.datetime | None = None
    """Since when, UTC; None where the list does not say, or not so that it can be read."""
    scope: Scope | None = None
    scope_value: str = ""
    expires_at: dt.datetime | None = None
    note: str = ""
    diagnostic: str = ""
    """The server's own words."""
    status: str = ""
    """RFC 3463 status code."""
    category: Category | None = None
    blocked: bool = False
    """The provider itself says that the sender is to blame."""
    doubted: bool = False
    """The provider's list holds failures of every kind: who is to blame, the diagnostic tells."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A row that suppresses nobody, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that can't be read, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of list."""

    name: str
    matches: Callable[[AbstractSet[str], str], bool]
    """Whether columns (folded) and a file name (in lower case) look like it."""
    read: Callable[[Record, str], Entry | Skip]
    """A row; the second argument is the file name in lower case, where only that tells what the list holds."""


def fold(column: str) -> str:
    """A column's name as it is compared: `Email Address`, `email_address` and `EmailAddress` are one."""
    return "".join(char for char in column.casefold() if char.isalnum())

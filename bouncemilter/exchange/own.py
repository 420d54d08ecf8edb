"""Our own exports, CSV and JSON lines, and lists that nobody's format describes."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Final

from bouncemilter import text
from bouncemilter.exchange import moment
from bouncemilter.exchange.record import Entry, Record, Skip
from bouncemilter.model import Category, Cause, Scope

COLUMNS: Final = (
    "address",
    "scope",
    "scope_value",
    "cause",
    "category",
    "class",
    "created_at",
    "expires_at",
    "created_by",
    "reason",
    "note",
    "diagnostic",
    "trust",
)
"""Of our CSV."""
_CATEGORIES: Final = {each.value: each for each in Category}
_SCOPES: Final = {each.value: each for each in Scope}
_CAUSES: Final = {each.value: each for each in Cause}
_TIMES: Final = ("createdat", "created", "date", "since", "data", "datum", "timestamp", "at", "updatedat", "bouncedat")


def read_own(record: Record, _name: str, bare: Callable[[str], str] = text.unguarded) -> Entry | Skip:
    """A row of an export, ended ones left out. `bare` takes off what the form of the file has put to a text."""
    if record.get("endedat") or record.get("pending", "").lower() == "true":
        return Skip("not in force")
    return Entry(
        bare(record.get("address", "")),
        cause(record.get("cause", "")),
        moment.parse(record.get("createdat", "")),
        _SCOPES.get(record.get("scope", "").strip().lower()),
        bare(record.get("scopevalue", "")),
        moment.parse(record.get("expiresat", "")),
        bare(record.get("note", "")),
        bare(record.get("diagnostic", "")),
        category=_CATEGORIES.get(record.get("category", "").strip()),
    )


def read_own_json(record: Record, name: str) -> Entry | Skip:
    """The same of JSON lines, where texts stand as they are."""
    return read_own(record, name, str)


def cause(written: str) -> Cause | None:
    """A cause by its name."""
    return _CAUSES.get(written.strip().lower()) if written else None


def read_any(record: Record, column: str, times: Sequence[str]) -> Entry | Skip:
    """A row of a list whose addresses stand in `column`, and its time in one of the columns `times`."""
    at = next((found for name in times if (found := moment.parse(record.get(name, "")))), None)
    return Entry(record.get(column, ""), cause(record.get("cause", "")), at, note=record.get("note", ""))


def time_columns(columns: Container[str]) -> tuple[str, ...]:
    """Those of the columns (folded) that are named as times usually are, the best one first."""
    return tuple(name for name in _TIMES if name in columns)

"""Our own exports, CSV and JSON lines, and lists that nobody's format describes."""

from __future__ import annotations

import re
from typing import Final

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
_GUARD: Final = re.compile(r"'*[=+\-@\t\r\n]")
_TIMES: Final = ("createdat", "created", "date", "since", "data", "datum", "timestamp", "at", "updatedat", "bouncedat")


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes before what begins like one."""
    return f"'{cell}" if _GUARD.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell as it was."""
    return cell[1:] if cell.startswith("'") and _GUARD.match(cell) else cell


def read_own(record: Record, _name: str) -> Entry | Skip:
    """A row of an export, ended ones left out."""
    if record.get("endedat") or record.get("pending", "").lower() == "true":
        return Skip("not in force")
    scope = record.get("scope", "").strip().lower()
    return Entry(
        unguarded(record.get("address", "")),
        cause(record.get("cause", "")),
        moment.parse(record.get("createdat", "")),
        Scope(scope) if scope in list(Scope) else None,
        unguarded(record.get("scopevalue", "")),
        moment.parse(record.get("expiresat", "")),
        unguarded(record.get("note", "")),
        unguarded(record.get("diagnostic", "")),
        category=Category(category) if (category := record.get("category", "").strip()) in list(Category) else None,
    )


def cause(written: str) -> Cause | None:
    """A cause by its name."""
    word = written.strip().lower()
    return Cause(word) if word in list(Cause) else None


def read_any(record: Record, column: str) -> Entry | Skip:
    """A row of a list whose addresses stand in `column`; its time under one of the usual names."""
    at = next((found for name in _TIMES if (found := moment.parse(record.get(name, "")))), None)
    return Entry(record.get(column, ""), cause(record.get("cause", "")), at, note=record.get("note", ""))

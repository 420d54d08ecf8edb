"""What differs between database engines: inserts that tolerate conflicts, and how errors are told apart.

Everything else in this package is SQL that SQLite (3.35 and later) and PostgreSQL both speak. How a SQLite file is
opened stands in sqlite.py.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

_Value = TypeVar("_Value")

_INSERTS: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

_SERIALIZATION: Final = frozenset({"40001", "40P01"})
"""SQLSTATE of a serialization failure and of a deadlock: the same transaction may pass when tried again."""


def insert_new(connection: AsyncConnection, table: sa.Table) -> Any:
    """INSERT … ON CONFLICT DO NOTHING into `table`."""
    return _INSERTS[connection.dialect.name](table).on_conflict_do_nothing()


def insert_or_update(connection: AsyncConnection, table: sa.Table, column: str, *, add: bool = False) -> Any:
    """INSERT … ON CONFLICT (primary key) DO UPDATE: `column` is replaced, or the new value added to it."""
    return _upsert(connection.dialect.name, table, column, add=add)


@functools.cache
def _upsert(engine: str, table: sa.Table, column: str, *, add: bool) -> Any:
    statement = _INSERTS[engine](table)
    new = statement.excluded[column]
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns), set_={column: table.c[column] + new if add else new}
    )


def repeatable(error: BaseException) -> bool:
    """Whether the same transaction should be tried again at once: it lost a race, or its connection."""
    if not isinstance(error, exc.DBAPIError):
        return False
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _SERIALIZATION


def temporary(error: BaseException) -> bool:
    """Whether an error is the engine's state (full, locked, gone, damaged), not the fault of what was written."""
    if isinstance(error, exc.DBAPIError):
        # A bare DatabaseError is how SQLite reports damage; its subclasses but these two are about the statement.
        ours = isinstance(error, exc.OperationalError | exc.InternalError) or type(error) is exc.DatabaseError
        return ours or error.connection_invalidated
    return isinstance(error, exc.TimeoutError | OSError | MemoryError)


def about_a_value(error: BaseException) -> bool:
    """Whether the engine or the driver refused a value (not: a caller's own exception)."""
    return isinstance(error, exc.SQLAlchemyError | UnicodeError | OverflowError)


async def make_room(connection: AsyncConnection) -> None:
    """Before much is written: 64 MB of pages in memory. With SQLite's 2 MB the indexes are read again and again."""
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql("PRAGMA cache_size = -65536")


def chunks(values: Sequence[_Value]) -> list[Sequence[_Value]]:
    """`values` in pieces that fit an IN list: both engines allow some 32,767 parameters in a statement."""
    return [values[start : start + 10_000] for start in range(0, len(values), 10_000)]


def first_line(error: BaseException) -> str:
    """An error in one line, without SQLAlchemy's dump of statement and values (they are personal data)."""
    text = str(getattr(error, "orig", None) or error) or type(error).__name__
    return text.partition("\n")[0]

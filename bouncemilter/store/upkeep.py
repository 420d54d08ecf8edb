"""Upkeep of a SQLite store by hand: copies, checks, putting back, new schema versions. Everything here blocks."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

import sqlalchemy as sa

from bouncemilter import replacement
from bouncemilter.store import migration, schema, sqlite
from bouncemilter.store.errors import BadFile, StoreRefused
from bouncemilter.store.sqlite import path_of

__all__ = ["Condition", "Snapshot", "look", "migrate", "path_of", "pending", "restore"]

_APART: Final = 1_000_000
"""Numbers of changes that a restore leaves out where the store can't tell any more how many were made since."""
_FINDINGS: Final = 10
"""Of each kind; one is enough to put a backup back."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a look at a store's file found."""

    file: str
    octets: int
    schema: str
    """Its version; empty where it has none."""
    newest: str
    """The version that this program writes."""
    rows: dict[str, int]
    """By table."""
    problems: tuple[str, ...]
    """None: it is sound."""


class Snapshot:
    """A store as it is now, for a copy. Nobody is kept from writing meanwhile. StoreRefused, StoreUnavailable."""

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self._path = path
        with sqlite.explained(path):
            sqlite.check_header(path)
            self._source = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
            try:
                self._source.execute("BEGIN")
                self._source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # takes the snapshot
            except sqlite3.Error:
                self._source.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store."""
        self._source.close()

    def write(self, target: Path, *, overwrite: bool) -> int:
        """Copy the store into one file, which only its owner reads and which appears whole or not at all; its octets.

        BadFile: it is there already, can't be written, or the store is damaged.
        """
        own = [self._path.with_name(self._path.name + suffix) for suffix in ("", *sqlite.SIDES)]
        if target.exists() and any(each.exists() and target.samefile(each) for each in own):
            raise BadFile(f"{target}: the store itself")
        if os.path.lexists(target) and not (overwrite and target.is_file()):
            raise BadFile(f"{target}: exists already" if target.is_file() else f"{target}: no plain file")
        with _told(target), replacement.partial(target, sqlite.SIDES) as partial:
            self._copy(partial)
            octets = partial.stat().st_size
            if overwrite:
                partial.replace(target)
            else:
                os.link(partial, target)  # never over another
            replacement.sync_folder(target.parent)
        return octets

    def _copy(self, partial: Path) -> None:
        with contextlib.closing(sqlite3.connect(partial, isolation_level=None)) as copy:
            self._source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file that needs no other beside it
            finding = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        if finding != "ok":
            raise BadFile(f"{self._path}: damaged ({finding}); no copy was made")
        _sync(partial)


def look(path: Path, busy_timeout: float) -> Condition:
    """Read a store's file through, whatever its state, beside whoever uses it. StoreUnavailable: locked just now."""
    octets, newest = 0, migration.head()
    try:
        with sqlite.explained(path):
            octets = path.stat().st_size
            sqlite.check_header(path)
            with sqlite.connecting(path, busy_timeout) as engine, engine.connect() as connection:
                revision = migration.revision(connection)
                problems = tuple(_problems(connection, revision))
                rows = {} if any("damaged" in each for each in problems) else _rows(connection)
    except StoreRefused as error:
        return Condition(str(path), octets, "", newest, {}, (str(error).removeprefix(f"{path}: "),))
    return Condition(str(path), octets, revision or "", newest, rows, problems)


def _problems(connection: sa.Connection, revision: str | None) -> Iterator[str]:
    for (finding,) in connection.exec_driver_sql(f"PRAGMA integrity_check({_FINDINGS})"):
        if finding != "ok":
            yield f"damaged: {finding}"
    if revision is None:
        yield "no schema version"
    elif not migration.known(revision):
        yield f"written by a newer bouncemilter (schema {revision})"
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(_FINDINGS)
    for table, row, parent, *_ in orphans:
        yield f"{table}: row {row} names a row of {parent} that is not there"


def _rows(connection: sa.Connection) -> dict[str, int]:
    there = sa.inspect(connection).get_table_names()
    tables = [table for name, table in schema.metadata.tables.items() if name in there]
    count = sa.func.count()
    return {each.name: connection.execute(sa.select(count).select_from(each)).scalar() or 0 for each in tables}


def restore(source: BinaryIO, name: Path, path: Path, busy_timeout: float, now: dt.datetime) -> Path | None:
    """Put a backup, opened as `source`, in the store's place; where the file that was there is kept, if any was.

    Nothing is changed before the whole of the backup lies beside the store and was checked. BadFile: it can't be used.
    StoreUnavailable: a process has the store open.
    """
    with _told(path), replacement.partial(path, sqlite.SIDES) as partial:
        with partial.open("r+b") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
        _sync(partial)
        condition = look(partial, busy_timeout)
        if condition.problems:
            raise BadFile("\n".join(f"{name}: {each}" for each in condition.problems))
        _part_from(path, partial)
        _sync(partial)
        return _exchange(partial, path, now)


def _part_from(path: Path, backup: Path) -> None:
    """Have the changes of `backup` go on with numbers that the store at `path` has not given and won't be given.

    Who followed the store that is put away has a cursor of changes that are gone: it must mean no other ones.
    """
    with contextlib.closing(sqlite3.connect(backup, isolation_level=None)) as new:
        after = _last_change(new)
        try:
            with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0)) as old:
                after = max(after, _last_change(old))
        except sqlite3.Error:  # gone or damaged
            after += _APART
        where = (after, schema.suppression_changes.name)
        if not new.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", where).rowcount:
            new.execute("INSERT INTO sqlite_sequence (seq, name) VALUES (?, ?)", where)


def _last_change(store: sqlite3.Connection) -> int:
    statement = "SELECT seq FROM sqlite_sequence WHERE name = ?"  # what AUTOINCREMENT counts by
    found = store.execute(statement, (schema.suppression_changes.name,)).fetchone()
    return found[0] if found else 0


def _exchange(new: Path, path: Path, now: dt.datetime) -> Path | None:
    """Put `new` in the place of `path`, which is kept beside it with its write-ahead log."""
    if not path.exists():
        if any(path.with_name(path.name + suffix).exists() for suffix in ("-wal", "-journal")):
            raise BadFile(f"{path}: not there, but its write-ahead log is; move that away first")
        path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
        new.replace(path)
        replacement.sync_folder(path.parent)
        return None
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path, timeout=0)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # then the file alone is all; damaged, it stays as it is
    with sqlite.alone(path):
        kept = path.with_name(f"{path.name}.before-restore-{now:%Y%m%dT%H%M%S.%fZ}")
        os.link(path, kept)
        for suffix in sqlite.SIDES:
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(kept.with_name(kept.name + suffix))
        new.replace(path)
        replacement.sync_folder(path.parent)
    return kept


def migrate(path: Path, busy_timeout: float) -> Path | None:
    """Bring a store up to date; where the copy of it as it was lies, or None where there was nothing to do.

    StoreRefused: no store of ours, newer, damaged, or a step failed. StoreUnavailable: a process has it open.
    """
    with sqlite.explained(path):
        if not path.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    before = pending(path, busy_timeout)
    sqlite.bring_up(path, busy_timeout)
    return sqlite.copy_before_upgrade(path) if before else None


def pending(path: Path, busy_timeout: float) -> list[tuple[str, str]]:
    """The steps that a store lacks: version and purpose of each. StoreRefused where it can't be used."""
    with sqlite.explained(path):
        sqlite.check_header(path)
        with sqlite.connecting(path, busy_timeout) as engine, engine.connect() as connection:
            revision = migration.revision(connection)
        sqlite.check_version(path, revision)
        return migration.steps(revision)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Errors of a file as BadFile."""
    try:
        yield
    except sqlite3.Error as error:
        if sqlite.is_full(error):
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise BadFile(f"{path}: {full.strerror}") from full
        raise BadFile(f"{path}: {error}") from error
    except OSError as error:
        # Of the file that was asked for: the error may name an unfinished one beside it.
        raise BadFile(f"{path}: {error.strerror or error}") from error


def _sync(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())

"""SQLite: how a file is made, checked, brought up to date and opened."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import sqlite3
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event, pool
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bouncemilter.replacement import partial, sync_folder
from bouncemilter.store import migration
from bouncemilter.store.errors import StoreFault, StoreRefused, StoreUnavailable
from bouncemilter.store.pseudonym import SECRET
from bouncemilter.store.schema import secrets as secrets_

APPLICATION_ID: Final = 0x424F4D49
"""`BOMI` in octets 68 to 71 of the file: https://www.sqlite.org/fileformat2.html#application_id."""
CHECKED_WHOLE: Final = 256 * 1024 * 1024
"""Files up to this size, in octets, are read through at start (about a second). Of larger ones only the schema is
read; `PRAGMA quick_check` on ten million rows would outlast the start time-out."""
JOURNAL_KEPT: Final = 64 * 1024 * 1024
"""Octets of write-ahead log that are kept for use again after a burst; more is given back to the disk."""
READERS: Final = 4
"""Connections that read; each is a thread."""
SIDES: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file, by the ends of their names."""
_LOCKS: Final = (0x40000000, 512)
"""Where SQLite locks a database (https://www.sqlite.org/fileformat2.html#the_lock_byte_page): whoever has one open in
WAL mode holds a shared lock here for as long."""


def path_of(url: str) -> Path:
    """The file that a store's URL names. StoreRefused where it names none."""
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError as error:
        raise StoreRefused(StoreFault.UNREACHABLE, "not a database URL") from error
    if parsed.drivername not in ("sqlite", "sqlite+aiosqlite"):
        raise StoreRefused(StoreFault.UNREACHABLE, f"unknown database engine {parsed.drivername}")
    if not parsed.database or parsed.database == ":memory:":
        raise StoreRefused(StoreFault.UNREACHABLE, "a store is a file")
    return Path(parsed.database)


async def prepare(path: Path, busy_timeout: float, *, check: bool) -> bytes:
    """Make the file where there is none, else look at it and bring it up to date; the key of its pseudonyms.

    `check`: read all of it for damage. StoreRefused, StoreUnavailable.
    """
    return await asyncio.to_thread(_prepare, path, busy_timeout, check=check)


def writer(path: Path, busy_timeout: float) -> AsyncEngine:
    """The engine of the one writing connection; a transaction takes the write lock as it begins."""
    engine = create_async_engine(
        _url("sqlite+aiosqlite", path),
        poolclass=pool.AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        connect_args={"timeout": busy_timeout},
    )
    file = _File(path)
    _set_up_writing(engine.sync_engine)
    file.guard(engine.sync_engine)
    event.listen(engine.sync_engine, "begin", file.check)
    return engine


def reader(path: Path, busy_timeout: float) -> AsyncEngine:
    """The engine of the connections that only read."""
    engine = create_async_engine(
        _url("sqlite+aiosqlite", path),
        poolclass=pool.AsyncAdaptedQueuePool,
        pool_size=READERS,
        max_overflow=0,
        pool_timeout=busy_timeout,
        connect_args={"timeout": busy_timeout},
    )

    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        _execute(connection, "PRAGMA query_only = ON")

    event.listen(engine.sync_engine, "connect", connected)
    _File(path).guard(engine.sync_engine)
    return engine


class _File:
    """The store's file as it was when the engine was made.

    SQLite goes on writing into a file that was removed, moved or replaced: what it commits there nobody finds again.
    And what it opens anew beside an old write-ahead log it damages. So neither is done, until the file is back.
    """

    def __init__(self, path: Path) -> None:
        self._paths = path, path.with_name(f"{path.name}-wal")
        self._found = _identity(path)

    def guard(self, engine: sa.Engine) -> None:
        """Keep the engine from opening another file in its place."""

        def connect(*_arguments: object) -> None:
            if _identity(self._paths[0]) != self._found:
                raise self._gone(self._paths[0])

        event.listen(engine, "do_connect", connect)

    def check(self, connection: sa.Connection) -> None:
        """In a transaction, before anything is written: OSError where it would be written to nowhere."""
        file, log = self._paths
        if _identity(file) != self._found:
            raise self._gone(file)
        # The log lives as long as the connection.
        found = _identity(log)
        if connection.info.setdefault("log", found) != found:
            raise self._gone(log)

    @staticmethod
    def _gone(path: Path) -> OSError:
        return OSError(f"{path}: removed, moved or replaced while in use; stop bouncemilter first")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _set_up_writing(engine: sa.Engine) -> None:
    def connected(connection: Any, _record: object) -> None:
        # The driver shall not begin transactions by itself: ours begin below.
        connection.isolation_level = None
        _execute(connection, "PRAGMA journal_mode = WAL")
        _execute(connection, "PRAGMA synchronous = FULL")
        _execute(connection, f"PRAGMA journal_size_limit = {JOURNAL_KEPT}")
        _execute(connection, "PRAGMA foreign_keys = ON")
        # What is deleted or forgotten does not stay in free pages.
        _execute(connection, "PRAGMA secure_delete = ON")

    def begun(connection: sa.Connection) -> None:
        # A deferred transaction that turns into a writing one fails at once where somebody else wrote meanwhile.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _execute(connection: Any, statement: str) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
    finally:
        cursor.close()


def _url(driver: str, path: Path) -> URL:
    # `mode=rw`: never made by opening, also not when it vanishes under a running daemon.
    file = f"file:{urllib.parse.quote(str(path.absolute()))}"
    return URL.create(driver, database=file, query={"mode": "rw", "uri": "true"})


def _prepare(path: Path, busy_timeout: float, *, check: bool) -> bytes:
    with explained(path):
        if not path.exists():
            _create(path, busy_timeout)
        bring_up(path, busy_timeout, check=check)
        with connecting(path, busy_timeout) as engine, engine.connect() as connection:
            found = connection.execute(sa.select(secrets_.c.value).where(secrets_.c.name == SECRET)).scalar()
    if not isinstance(found, bytes):
        raise StoreRefused(StoreFault.CORRUPT, f"{path}: corrupt (no key of pseudonyms); restore a backup")
    return found


def bring_up(path: Path, busy_timeout: float, *, check: bool = True) -> None:
    """Look at a file that is there, and bring it up to date, as `prepare`."""
    with explained(path):
        check_header(path)
        if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK):
            raise StoreRefused(StoreFault.UNREACHABLE, f"{path}: not writable")
        with connecting(path, busy_timeout) as engine, engine.connect() as connection:
            _check_content(path, connection, whole=check)
            revision = migration.revision(connection)
        check_version(path, revision)
        if revision != migration.head():
            _upgrade(path, busy_timeout)


def check_version(path: Path, revision: str | None) -> None:
    """StoreRefused where this program does not know the schema of a store."""
    if not migration.known(revision):
        raise StoreRefused(
            StoreFault.NEWER, f"{path}: written by a newer bouncemilter (schema {revision}); install that version"
        )


def copy_before_upgrade(path: Path) -> Path:
    """Where the copy lies that is made before a store gets the newest schema."""
    return path.with_name(f"{path.name}.before-{migration.head()}")


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Errors of the file system and of SQLite as those of the store."""
    try:
        yield
    except (sa.exc.OperationalError, sqlite3.OperationalError) as error:
        text = str(getattr(error, "orig", None) or error)
        if _temporary(error):
            raise StoreUnavailable(f"{path}: {text}") from error
        raise StoreRefused(StoreFault.UNREACHABLE, f"{path}: {text}") from error
    except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
        text = str(getattr(error, "orig", None) or error)
        raise StoreRefused(StoreFault.CORRUPT, f"{path}: corrupt ({text}); restore a backup") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreUnavailable(f"{path}: {error.strerror}") from error
        raise StoreRefused(StoreFault.UNREACHABLE, f"{path}: {error.strerror or error}") from error


def _temporary(error: Exception) -> bool:
    """Whether waiting may help (SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL)."""
    return is_full(error) or any(word in str(getattr(error, "orig", None) or error) for word in ("locked", "busy"))


def is_full(error: Exception) -> bool:
    """Whether the disk is full (SQLITE_FULL)."""
    return "full" in str(getattr(error, "orig", None) or error)


@contextlib.contextmanager
def connecting(path: Path, busy_timeout: float, *, writing: bool = False) -> Iterator[sa.Engine]:
    """An engine on the calling thread; one that does not write keeps nobody from writing."""
    engine = sa.create_engine(_url("sqlite", path), poolclass=pool.NullPool, connect_args={"timeout": busy_timeout})
    if writing:
        _set_up_writing(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def _create(path: Path, busy_timeout: float) -> None:
    """A new store, whole or not at all: built beside its place, then linked there, unless another was quicker."""
    with partial(path, SIDES) as new:
        with connecting(new, busy_timeout, writing=True) as engine, engine.begin() as connection:
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            migration.upgrade(connection)
        with contextlib.suppress(FileExistsError):
            os.link(new, path)
        sync_folder(path.parent)


def check_header(path: Path) -> None:
    """StoreRefused where a file is no store of ours by its first octets."""
    with path.open("rb") as file:
        header = file.read(100)
    if not header:
        # Not taken as new: a store that was cut to nothing held suppressions that must not be forgotten in silence.
        raise StoreRefused(
            StoreFault.NOT_A_DATABASE, f"{path}: empty; restore a backup, or remove it to start with nothing"
        )
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        raise StoreRefused(StoreFault.NOT_A_DATABASE, f"{path}: not a SQLite database")
    application = int.from_bytes(header[68:72], "big")
    if application != APPLICATION_ID:
        raise StoreRefused(
            StoreFault.FOREIGN,
            f"{path}: another program's database (application_id {application:#x}, not {APPLICATION_ID:#x})",
        )


def _upgrade(path: Path, busy_timeout: float) -> None:
    newest = migration.head()
    with alone(path):  # an older daemon would go on with a schema that it does not know
        pass
    _back_up(path, copy_before_upgrade(path))
    try:
        with connecting(path, busy_timeout, writing=True) as engine, engine.begin() as connection:
            migration.upgrade(connection)
    except sa.exc.DBAPIError as error:
        if _temporary(error):
            raise
        text = f"{path}: the step to schema {newest} failed and was taken back ({error.orig})"
        raise StoreRefused(StoreFault.NOT_UPGRADED, text) from error


def _check_content(path: Path, connection: sa.Connection, *, whole: bool) -> None:
    connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()
    if not whole or path.stat().st_size > CHECKED_WHOLE:
        return
    finding = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if finding != "ok":
        raise StoreRefused(StoreFault.CORRUPT, f"{path}: corrupt ({finding}); restore a backup")


def _back_up(path: Path, copy: Path) -> None:
    """A copy of the store as it is, its write-ahead log included; on disk when this returns."""
    with partial(copy, SIDES) as new:
        with contextlib.closing(sqlite3.connect(path)) as source, contextlib.closing(sqlite3.connect(new)) as target:
            source.backup(target)
        new.replace(copy)
        sync_folder(copy.parent)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep everybody from a database file that nobody has open; else StoreUnavailable.

    Within, this process must not open the file: closing it would give the lock back (POSIX).
    """
    with path.open("r+b") as file:
        start, length = _LOCKS
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise StoreUnavailable(f"{path}: in use; stop the daemon first") from None
        yield


def shed(path: Path, busy_timeout: float) -> bool:
    """Empty the write-ahead log, in which deleted rows would stand a while; False while somebody still reads it."""
    with explained(path), contextlib.closing(sqlite3.connect(path, timeout=busy_timeout)) as store:
        (busy, *_) = store.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy

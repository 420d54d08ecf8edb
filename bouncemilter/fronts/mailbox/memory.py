"""What is remembered of a mailbox between two passes: a small file in the state folder.

Losing it loses nothing: events are known by their ids. So a file that is damaged is made anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from bouncemilter.fronts.mailbox.fault import Fault, MailboxError

FOLDER: Final = "mailboxes"
"""Below the state folder."""
LEFT: Final = 0
RECOGNISED: Final = 1
GONE: Final = 2
"""Moved or deleted, or at least marked as deleted."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (message INTEGER PRIMARY KEY, outcome INTEGER NOT NULL);
"""


class Memory:
    """What is remembered of one mailbox. Held by one reader at a time, and by one thread."""

    def __init__(self, folder: Path, identity: str) -> None:
        self._path = folder / FOLDER / f"{identity}.db"
        self._lock = -1
        self._connection: sqlite3.Connection | None = None
        self._seen: dict[int, int] = {}

    def open(self) -> None:
        """Read it; MailboxError where somebody else has it, or the disk refuses."""
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._unlock()
            raise MailboxError(Fault.BUSY, "another process reads this mailbox just now") from None
        except OSError as error:
            raise MailboxError(Fault.DISK, f"{self._path.parent}: {error.strerror}") from None
        try:
            self._load()
        except sqlite3.OperationalError as error:
            self.close()
            raise MailboxError(Fault.DISK, f"{self._path}: {error}") from None
        except sqlite3.DatabaseError:
            self._start_anew()

    def _load(self) -> None:
        self._connection = sqlite3.connect(self._path, timeout=5, isolation_level=None, check_same_thread=False)
        self._connection.executescript(_SCHEMA)
        self._seen = dict(self._connection.execute("SELECT message, outcome FROM seen"))

    def _start_anew(self) -> None:
        if self._connection:
            self._connection.close()
        try:
            for suffix in ("", "-journal"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            self._load()
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise MailboxError(Fault.DISK, f"{self._path}: {error}") from None

    def note(self, name: str) -> str:
        """What was noted under a name, or nothing."""
        found = self._execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def set_note(self, name: str, value: str) -> None:
        """Note something."""
        self._execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))

    def forget(self) -> None:
        """Nothing was seen yet: the server has given all messages new names, or all shall be read again."""
        self._seen.clear()
        self._execute("DELETE FROM seen")
        self._execute("DELETE FROM note WHERE name <> 'generation'")

    def outcome(self, key: str) -> int | None:
        """LEFT, RECOGNISED, GONE, or None for a message that is still to be settled."""
        return self._seen.get(_number(key))

    def learn(self, outcomes: Mapping[str, int]) -> None:
        """Remember what became of messages, in one transaction."""
        found = {_number(key): outcome for key, outcome in outcomes.items()}
        self._seen |= found
        self._many("INSERT OR REPLACE INTO seen VALUES (?, ?)", list(found.items()))

    def keep_only(self, keys: Collection[str]) -> None:
        """Forget messages that do not lie in the mailbox any more."""
        gone = self._seen.keys() - {_number(key) for key in keys}
        for number in gone:
            del self._seen[number]
        if gone:
            self._many("DELETE FROM seen WHERE message = ?", [(number,) for number in gone])

    def close(self) -> None:
        """Let go of it. Never raises."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None
        self._unlock()

    def _unlock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = -1

    def _execute(self, statement: str, values: tuple[str, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._open.execute(statement, values)
        except sqlite3.Error as error:
            raise MailboxError(Fault.DISK, f"{self._path}: {error}") from None

    def _many(self, statement: str, values: list[tuple[int, ...]]) -> None:
        try:
            with self._open as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(statement, values)
        except sqlite3.Error as error:
            raise MailboxError(Fault.DISK, f"{self._path}: {error}") from None

    @property
    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise MailboxError(Fault.DISK, f"{self._path}: closed")
        return self._connection


def _number(key: str) -> int:
    """A message's name as a number of 63 bits: file names and UIDLs may hold addresses."""
    digest = hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1

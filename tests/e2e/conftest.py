"""The world of the end-to-end tests: a private Postfix, a remote peer, and the daemon as a process."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rig.daemon import Daemon
from tests.rig.peer import Peer
from tests.rig.postfix import Postfix, open_folder

RETURN_PATHS = "bounces.own.test"
UNKNOWN = "550 5.1.1 <nikt@remote.test>: Recipient address rejected: User unknown in virtual mailbox table"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that all users may pass through."""
    with open_folder() as found:
        yield found


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A remote server that knows no nikt@remote.test."""
    with Peer(rcpt={"nikt@remote.test": UNKNOWN}) as found:
        yield found


@dataclass
class SinkWorld:
    """Postfix routes the return-path domain to the sink; no milter."""

    daemon: Daemon
    postfix: Postfix
    peer: Peer

    def everything_in_mailboxes(self) -> list[bytes]:
        """All mail that was delivered to anybody."""
        return [path.read_bytes() for path in (self.postfix.folder / "mail").rglob("new/*")]


@contextlib.contextmanager
def sink_world(
    folder: Path,
    peer: Peer,
    tables: str = "",
    environment: dict[str, str] | None = None,
    state: Path | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Iterator[SinkWorld]:
    """A world whose details a test may set."""
    daemon = Daemon(folder / "daemon", tables, milter=False, environment=environment, state=state)
    postfix = Postfix(
        folder / "postfix",
        mailboxes=["@own.test"],
        transports={RETURN_PATHS: f"lmtp:unix:{daemon.lmtp}", "remote.test": peer.transport},
        parameters={"lmtp_send_xforward_command": "yes", **(parameters or {})},
    )
    with daemon, postfix:
        yield SinkWorld(daemon, postfix, peer)


@pytest.fixture
def sinking(folder: Path, peer: Peer) -> Iterator[SinkWorld]:
    """The usual one."""
    with sink_world(folder, peer) as found:
        yield found


@contextlib.contextmanager
def locked_store(daemon: Daemon) -> Iterator[sqlite3.Connection]:
    """Hold the store's write lock, as a long import in another process would."""
    connection = sqlite3.connect(daemon.state / "bouncemilter.db", isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    finally:
        connection.close()


def verp(address: str) -> str:
    """The return path of a mail to `address`."""
    return f"b+{address.replace('@', '=')}@{RETURN_PATHS}"

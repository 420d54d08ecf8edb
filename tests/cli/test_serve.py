"""`serve`: why it refuses to start, and with which exit code. Within this process: a start that fails returns."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bouncemilter.store import Store
from tests.cli.conftest import Home
from tests.rig.daemon import Daemon


@pytest.fixture(autouse=True)
def _own_process() -> Iterator[None]:
    """The mask of this process is as before after each test."""
    mask = os.umask(0o022)
    yield
    os.umask(mask)


@pytest.fixture
def home(home: Home) -> Home:
    """One whose daemon would start: its sockets lie in its folder."""
    text = home.config.read_text()
    home.config.write_text(
        f'{text}[sink]\n[[sink.listener]]\nprotocol = "lmtp"\naddress = "unix:{home.folder / "lmtp.sock"}"\n'
        "[web]\nenabled = false\n"
    )
    return home


async def _nothing(_: Store) -> None:
    """Opening it was all."""


def _corrupt(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\x55" * (len(content) - 4096))


def _foreign(path: Path) -> None:
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE mail (id)")


def _newer(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_corrupt, "corrupt"),
        (_foreign, "another program's database"),
        (_newer, "written by a newer bouncemilter (schema 9999)"),
        (_empty, "empty; restore a backup"),
    ],
)
def test_f06_store(home: Home, spoil: object, words: str) -> None:
    """F06: a store that can't be ours stops the start with 78 and one line, and is left as it is."""
    home.store(_nothing)
    path = home.state / "bouncemilter.db"
    assert callable(spoil)
    spoil(path)
    before = path.read_bytes()
    done = home.run("serve")
    assert done.exit_code == 78
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"bouncemilter: {path}: {words}")
    assert path.read_bytes() == before
    assert not (home.folder / "lmtp.sock").exists()


def test_store_elsewhere(home: Home) -> None:
    """A URL that names no store is a fault of the configuration."""
    home.config.write_text(home.config.read_text().replace("[store]", '[store]\nurl = "mysql://x/y"'))
    done = home.run("serve")
    assert (done.exit_code, done.stderr) == (78, "bouncemilter: unknown database engine mysql\n")


def test_address_in_use(home: Home) -> None:
    """A socket that is taken is worth another try: 69, with the address."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"inet:127.0.0.1:{other.getsockname()[1]}"
        text = home.config.read_text()
        home.config.write_text(
            text.replace("[web]", f'[[sink.listener]]\nprotocol = "smtp"\naddress = "{address}"\n[web]')
        )
        done = home.run("serve")
    assert (done.exit_code, done.stderr) == (69, f"bouncemilter: {address}: Address already in use\n")
    assert not (home.folder / "lmtp.sock").exists()


def test_second_daemon(home: Home) -> None:
    """A second daemon on the same sockets does not take them from the first."""
    with socket.socket(socket.AF_UNIX) as first:
        first.bind(str(home.folder / "lmtp.sock"))
        first.listen()
        done = home.run("serve")
        assert (home.folder / "lmtp.sock").exists()
    assert done.exit_code == 69
    assert f"unix:{home.folder / 'lmtp.sock'}: Address already in use" in done.stderr


def test_bad_rules(home: Home) -> None:
    """Faults in the operator's rules are faults of the configuration: each of them is told."""
    rules = home.folder / "rules.d"
    rules.mkdir()
    (rules / "a.toml").write_text("[[rule]]\n")
    (rules / "b.toml").write_text("[")
    home.config.write_text(f'{home.config.read_text()}[classify]\nrules_directory = "{rules}"\n')
    done = home.run("serve")
    assert done.exit_code == 78
    assert "a.toml" in done.stderr
    assert "b.toml" in done.stderr


def test_a_process(tmp_path: Path) -> None:
    """From start to SIGTERM: exit 0, every line of the log a JSON object, private files, no socket left."""
    daemon = Daemon(tmp_path / "d", milter=False)
    with daemon:
        assert daemon.lmtp.stat().st_mode & 0o777 == 0o660
        assert {each.stat().st_mode & 0o077 for each in daemon.state.iterdir()} == {0}
        assert daemon.stop() == 0
    lines = (tmp_path / "d" / "log").read_text().splitlines()
    events = [json.loads(line)["event"] for line in lines]
    events.remove("suppression_index_loaded")  # it is read beside the rest
    assert events == ["sink_listening", "started", "stopped"]
    assert not daemon.lmtp.exists()


def test_a_process_that_is_refused(home: Home) -> None:
    """A configuration with a fault ends the process with 78, and no trace of Python is seen."""
    home.config.write_text("colour = 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "bouncemilter", "serve", "--config", str(home.config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 78
    assert all(line.startswith(f"bouncemilter: {home.config}: ") for line in done.stderr.splitlines())

"""`store`: backup, restore, check and migrate, on files and beside a process that has the store open."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bouncemilter.replacement import partial
from bouncemilter.store import migration, sqlite, upkeep
from tests.cli.conftest import Home

JAN = "jan@klient.test"
EWA = "ewa@klient.test"


@pytest.fixture
def path(home: Home) -> Path:
    """The file of a store that suppresses Jan."""
    home.run("suppression", "add", JAN)
    return home.state / "bouncemilter.db"


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Another process has the store open, as a daemon has."""
    code = (
        "import sqlite3, sys\nstore = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "store.execute('PRAGMA journal_mode = WAL')\nstore.execute('SELECT * FROM events').fetchall()\n"
        "print('open', flush=True)\nsys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        yield
        other.communicate()


def execute(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


def suppressed(home: Home, address: str) -> bool:
    return home.run("suppression", "check", address).exit_code == 0


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if not each.name.endswith(("-wal", "-shm")))


def test_backup_and_restore(home: Home, path: Path) -> None:
    """A private copy, made while another process has the store open, brings back what was in it; the other is kept."""
    copy = home.folder / "copy.db"
    with held(path):
        done = home.run("store", "backup", str(copy))
    assert (done.exit_code, done.stdout) == (0, f"{copy}: {copy.stat().st_size:,} octets\n")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert home.run("store", "check", str(copy)).exit_code == 0
    home.run("suppression", "add", EWA)
    home.run("suppression", "remove", JAN)
    done = home.run("store", "restore", str(copy))
    assert (done.exit_code, done.stderr) == (0, "")
    assert (suppressed(home, JAN), suppressed(home, EWA)) == (True, False)
    (kept,) = home.state.glob("bouncemilter.db.before-restore-*")
    assert f"what was there is kept: {kept}\n" in done.stdout
    assert home.run("store", "restore", str(kept)).exit_code == 0
    assert (suppressed(home, JAN), suppressed(home, EWA)) == (False, True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [each for each in names(home.state) if each.startswith(".")]


def test_backup_is_one_moment(path: Path, home: Home, tmp_path: Path) -> None:
    """What is written after the copy has begun is not in it, and nobody who writes has to wait."""
    with upkeep.Snapshot(path, 0.05) as snapshot:
        home.run("suppression", "add", EWA)
        snapshot.write(tmp_path / "copy.db", overwrite=False)
    assert upkeep.look(tmp_path / "copy.db", 0.05).rows["suppressions"] == 1
    assert upkeep.look(path, 0.05).rows["suppressions"] == 2


def test_backup_never_overwrites_unasked(home: Home, path: Path) -> None:
    """A file that is there stays, but with --force; the store itself and folders stay in any case."""
    copy = home.folder / "copy.db"
    copy.write_text("mine")
    done = home.run("store", "backup", str(copy))
    assert (done.exit_code, done.stderr) == (65, f"bouncemilter: {copy}: exists already\n")
    assert copy.read_text() == "mine"
    assert home.run("store", "backup", str(copy), "--force").exit_code == 0
    assert home.run("store", "check", str(copy)).exit_code == 0
    assert "the store itself" in home.run("store", "backup", str(path), "--force").stderr
    with held(path):
        log = path.with_name(f"{path.name}-wal")
        assert "the store itself" in home.run("store", "backup", str(log), "--force").stderr
    assert "no plain file" in home.run("store", "backup", str(home.state), "--force").stderr
    assert suppressed(home, JAN)


def test_backup_that_fails_leaves_nothing(home: Home, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder, a full disk, a damaged store: the error names the place, and no copy lies there."""
    nowhere = home.folder / "none" / "copy.db"
    done = home.run("store", "backup", str(nowhere))
    assert done.exit_code == 74
    assert str(nowhere.parent) in done.stderr

    def full(_path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    copy = home.folder / "copies" / "copy.db"
    copy.parent.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(upkeep, "_sync", full)
        done = home.run("store", "backup", str(copy))
    assert (done.exit_code, done.stderr) == (74, f"bouncemilter: {copy}: No space left on device\n")
    damage(path)
    done = home.run("store", "backup", str(copy))
    assert done.exit_code in (65, 78)
    assert "bouncemilter.db: " in done.stderr
    assert names(copy.parent) == []


def test_backup_onto_a_full_disk(home: Home, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up while SQLite copies is an error of the disk, not of the data: exit 74."""

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(upkeep.Snapshot, "_copy", full)
    copy = home.folder / "copy.db"
    done = home.run("store", "backup", str(copy))
    assert (done.exit_code, done.stderr) == (74, f"bouncemilter: {copy}: No space left on device\n")
    assert suppressed(home, JAN)


def test_what_the_killed_have_left(home: Home, path: Path) -> None:
    """Unfinished copies that nobody has written to for a day are removed by the next one; others stay."""
    old, young = home.folder / ".copy.db.0123abcd", home.folder / ".copy.db.89abcdef"
    for each in (old, old.with_name(f"{old.name}-journal"), young):
        each.write_bytes(b"x")
        os.utime(each, (1, 1) if each is not young else None)
    assert home.run("store", "backup", str(home.folder / "copy.db")).exit_code == 0
    assert [each for each in names(home.folder) if each.startswith(".")] == [young.name]


def test_nothing_stays_of_what_fails(tmp_path: Path) -> None:
    """Of a file that is not finished nothing stays, the journal neither."""

    def fail() -> None:
        with partial(tmp_path / "copy.db", sqlite.SIDES) as new:
            for suffix in sqlite.SIDES:
                new.with_name(new.name + suffix).touch()
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert list(tmp_path.iterdir()) == []


def damage(path: Path) -> None:
    """Spoil the second half of a file, but for the last page."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : -4096] = b"\x55" * (len(content) - 4096 - len(content) // 2)
    path.write_bytes(content)


def test_restore_refuses_while_in_use(home: Home, path: Path) -> None:
    """While a process has the store open, nothing is put in its place: exit 75."""
    copy = home.folder / "copy.db"
    home.run("store", "backup", str(copy))
    with held(path):
        done = home.run("store", "restore", str(copy))
    assert (done.exit_code, done.stderr) == (75, f"bouncemilter: {path}: in use; stop the daemon first\n")
    assert names(home.state) == ["bouncemilter.db"]


@pytest.mark.parametrize("fault", ["missing", "empty", "text", "foreign", "newer", "damaged", "orphans", "log"])
def test_restore_refuses_what_is_no_store(home: Home, path: Path, fault: str) -> None:
    """What is no sound store of ours is refused by name, and the store stays as it is."""
    copy = home.folder / "copy.db"
    home.run("store", "backup", str(copy))
    match fault:
        case "missing":
            copy.unlink()
        case "empty":
            copy.write_bytes(b"")
        case "text":
            copy.write_text("address,reason\n" * 100)
        case "foreign":
            execute(copy, "PRAGMA application_id = 7")
        case "newer":
            execute(copy, "UPDATE alembic_version SET version_num = '9999'")
        case "damaged":
            damage(copy)
        case "orphans":
            execute(copy, "DELETE FROM suppressions")
        case "log":
            copy.with_name("copy.db-wal").write_bytes(b"x")
    before = path.read_bytes()
    done = home.run("store", "restore", str(copy))
    assert done.exit_code == (74 if fault == "missing" else 65)
    assert done.stderr.startswith(f"bouncemilter: {copy}")
    assert path.read_bytes() == before
    assert names(home.state) == ["bouncemilter.db"]


@pytest.mark.parametrize("lost", [False, True])
def test_restore_parts_the_changes(home: Home, path: Path, *, lost: bool) -> None:
    """A cursor of changes that are gone by a restore is refused, also once as many new ones were made."""
    copy = home.folder / "copy.db"
    home.run("store", "backup", str(copy))
    home.run("suppression", "add", EWA)
    (before, gone) = [each["seq"] for each in home.objects("suppression", "changes")]
    if lost:
        path.unlink()
    assert home.run("store", "restore", str(copy)).exit_code == 0
    home.run("suppression", "add", "ola@klient.test", "ula@klient.test")
    assert home.run("suppression", "changes", "--since", str(gone)).exit_code == 65
    (ola, ula) = home.objects("suppression", "changes", "--since", str(before))
    assert (ola["address"], ula["address"]) == ("ola@klient.test", "ula@klient.test")
    assert ola["seq"] > gone


def test_restore_in_the_place_of_nothing_and_of_damage(home: Home, path: Path) -> None:
    """A store that is damaged or gone is replaced; a write-ahead log without its store is not thrown away."""
    copy = home.folder / "copy.db"
    home.run("store", "backup", str(copy))
    damage(path)
    assert home.run("store", "restore", str(copy)).exit_code == 0
    assert suppressed(home, JAN)
    path.unlink()
    log = path.with_name("bouncemilter.db-wal")
    log.write_bytes(b"x")
    assert "write-ahead log" in home.run("store", "restore", str(copy)).stderr
    log.unlink()
    assert home.run("store", "restore", str(copy)).exit_code == 0
    assert suppressed(home, JAN)


def test_check(home: Home, path: Path) -> None:
    """A sound store is said to be, with its rows by table; one that is not, with every finding, and exit 1."""
    (found,) = home.objects("store", "check")
    assert (found["schema"], found["problems"], found["rows"]["suppressions"]) == (migration.head(), [], 1)
    done = home.run("store", "check")
    assert done.exit_code == 0
    assert done.stdout.endswith("\nsound\n")
    execute(path, "DELETE FROM suppressions")
    done = home.run("store", "check")
    assert done.exit_code == 1
    assert "suppression_changes: row 1 names a row of suppressions that is not there" in done.stdout
    damage(path)
    assert home.run("store", "check").exit_code == 1
    path.unlink()
    done = home.run("store", "check")
    assert (done.exit_code, "No such file" in done.stdout) == (1, True)


def test_migrate(home: Home, path: Path) -> None:
    """An older store is brought up to date after a copy; a dry run names the steps only; nothing while it is in use."""
    path.unlink()
    old = home.folder / "old.db"
    with sqlite.connecting(_made(old), 1, writing=True) as engine, engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id = {sqlite.APPLICATION_ID}")
        migration.upgrade(connection, "0001")
    old.rename(path)
    (found,) = home.objects("store", "check")
    assert (found["schema"], found["problems"]) == ("0001", [])
    dry = home.run("store", "migrate", "--dry-run")
    assert (dry.exit_code, dry.stdout.startswith("schema 0002: ")) == (0, True)
    with held(path):
        for command in (["store", "migrate"], ["why", JAN]):  # no command does it under an older daemon
            done = home.run(*command)
            assert (done.exit_code, "stop the daemon first" in done.stderr) == (75, True)
    assert home.objects("store", "check")[0]["schema"] == "0001"
    done = home.run("store", "migrate")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(dry.stdout)
    assert home.objects("store", "check")[0]["schema"] == migration.head()
    copy = path.with_name(f"bouncemilter.db.before-{migration.head()}")
    assert upkeep.look(copy, 1).schema == "0001"
    assert home.run("store", "migrate").stdout == f"{path}: up to date\n"


def _made(path: Path) -> Path:
    path.touch()
    return path


def test_migrate_without_a_store(home: Home) -> None:
    """Where no store is, none is made."""
    assert home.run("store", "migrate").exit_code == 78
    assert names(home.state) == []

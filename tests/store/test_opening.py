"""How a store is opened, made, brought up to date, and refused (F06). On SQLite files."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bouncemilter.store import Store, StoreFault, StoreRefused, StoreUnavailable, migration, schema, sqlite


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


async def fill(url: str, make) -> None:
    async with await Store.open(url) as store:
        await store.record([make.entry("e1", make.suppressed())])


def execute(path: Path, *statements: str) -> list:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return [connection.execute(statement).fetchone() for statement in statements]


async def refused(url: str, fault: StoreFault, words: str) -> None:
    with pytest.raises(StoreRefused, match=words) as caught:
        await Store.open(url)
    assert caught.value.fault is fault


async def test_new_store(url, path, make):
    """A new store is private, marked as ours, journalled and durable, and leaves nothing beside it."""
    async with await Store.open(url) as store:
        await store.record([make.entry("e1")])
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        connection = store._writer._connection
        assert (await connection.exec_driver_sql("PRAGMA synchronous")).scalar() == 2
        assert (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar() == "wal"
    assert execute(path, "PRAGMA application_id") == [(sqlite.APPLICATION_ID,)]
    assert [file.name for file in path.parent.iterdir()] == ["store.db"]


async def test_opened_again(url, make):
    """A store keeps what it has when it is closed and opened."""
    await fill(url, make)
    async with await Store.open(url) as store:
        assert len(await store.suppressed("anna@example.net")) == 1


async def test_odd_file_name(tmp_path, make):
    """A path with the characters that URLs and percent templates use is taken literally."""
    folder = tmp_path / "zażółć 100% ?a=b#c"
    folder.mkdir()
    url = sa.URL.create("sqlite+aiosqlite", database=str(folder / "s%20.db")).render_as_string()
    await fill(url, make)
    assert [file.name for file in folder.iterdir()] == ["s%20.db"]


async def test_opened_by_two_at_once(url, make):
    """Two that make the store at the same time share it."""
    first, second = await asyncio.gather(Store.open(url), Store.open(url))
    async with first, second:
        await first.record([make.entry("e1")])
        assert len(await second.events_of("anna@example.net")) == 1


async def test_never_made_by_a_running_daemon(url, path, make):
    """Where the file vanishes, a new connection fails instead of making an empty database."""
    async with await Store.open(url) as store:
        path.unlink()
        with pytest.raises(StoreUnavailable):
            await store.record([make.entry("e1")])
        with pytest.raises(StoreUnavailable):
            await store.suppressed("anna@example.net")
        assert not path.exists()
    # aiosqlite's thread of a connection that was never made still speaks to this event loop.
    while any("_connection_worker_thread" in thread.name for thread in threading.enumerate()):  # noqa: ASYNC110
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite+aiosqlite://", "is a file"),
        ("sqlite+aiosqlite:///:memory:", "is a file"),
        ("mysql://localhost/x", "engine mysql"),
        ("nonsense", "not a database URL"),
        ("sqlite+aiosqlite:////nonexistent/folder/store.db", "No such file"),
    ],
)
async def test_f06_unusable_url(url, words):
    """What is no place for a store is refused, and the fault says why."""
    await refused(url, StoreFault.UNREACHABLE, words)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"To: a@example.pl\n" * 100, "not a SQLite"), (b"SQLite format 3\0", "not a")],
)
async def test_f06_not_a_database(url, path, content, words):
    """A file that is no database, or is cut to nothing, is refused and left as it is."""
    path.write_bytes(content)
    await refused(url, StoreFault.NOT_A_DATABASE, words)
    assert path.read_bytes() == content


async def test_f06_another_programs_database(url, path):
    """Another program's database is refused and left as it is."""
    execute(path, "CREATE TABLE mail (id)", "PRAGMA application_id = 252006673")
    before = path.read_bytes()
    await refused(url, StoreFault.FOREIGN, "0xf055111")
    assert path.read_bytes() == before


@pytest.mark.parametrize("revision", ["UPDATE alembic_version SET version_num = '9999'", "DROP TABLE alembic_version"])
async def test_f06_newer_schema(url, path, make, revision):
    """A schema that this version does not know is refused and left as it is."""
    await fill(url, make)
    execute(path, revision)
    before = path.read_bytes()
    await refused(url, StoreFault.NEWER, "newer bouncemilter")
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["cut", "overwritten"])
async def test_f06_corrupt(url, path, make, damage):
    """A damaged file is refused and left as it is."""
    await fill(url, make)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    else:
        content[4096:] = b"\x55" * (len(content) - 4096)
    path.write_bytes(content)
    await refused(url, StoreFault.CORRUPT, "corrupt")
    assert path.read_bytes() == content


async def test_opened_while_another_writes(url, path, make):
    """Opening an up-to-date store, check included, needs no write lock."""
    await fill(url, make)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        async with await Store.open(url, busy_timeout=0.05) as store:
            assert len(await store.suppressed("anna@example.net")) == 1


async def test_locked_at_start(url, path, make, newer_program):
    """Where another holds the lock while the schema must change, opening fails as temporary and changes nothing."""
    await fill(url, make)
    newer_program()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await Store.open(url, busy_timeout=0.05)
    assert execute(path, "SELECT version_num FROM alembic_version") == [("0004",)]


def test_migrations_equal_the_tables(tmp_path):
    """The migrations, run from nothing, make exactly the tables and indexes of schema.py."""
    migrated, declared = (sa.create_engine(f"sqlite:///{tmp_path / name}") for name in ("migrated", "declared"))
    with migrated.begin() as one, declared.begin() as other:
        migration.upgrade(one)
        schema.metadata.create_all(other)
        assert compare_metadata(MigrationContext.configure(one), schema.metadata) == []
        # Autogenerate does not look into partial indexes, defaults and table options.
        query = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%' AND name NOT LIKE 'sqlite%'"
        made, wanted = (dict(list(connection.exec_driver_sql(query))) for connection in (one, other))
        assert {name: _squeezed(sql) for name, sql in made.items()} == {
            name: _squeezed(sql) for name, sql in wanted.items()
        }
    migrated.dispose()
    declared.dispose()


def _squeezed(sql: str | None) -> str:
    return " ".join((sql or "").split()).replace(" )", ")").replace(" ,", ",")


SECOND = """
from alembic import op
import sqlalchemy as sa
from alembic import command
revision, down_revision = "9999", "0004"

def upgrade():
    op.add_column("suppressions", sa.Column("colour", sa.String))
    if {broken}:
        op.execute("INSERT INTO nowhere VALUES (1)")
"""


@pytest.fixture
def newer_program(tmp_path, monkeypatch):
    """Makes this program one that knows a further version of the schema."""

    def install(*, broken: bool = False) -> None:
        scripts = tmp_path / "scripts"
        shutil.copytree(migration.SCRIPTS, scripts)
        (scripts / "versions" / "v9999.py").write_text(SECOND.format(broken=broken))
        monkeypatch.setattr(migration, "SCRIPTS", scripts)

    return install


async def test_upgrade_after_a_backup(url, path, make, newer_program):
    """An older schema is brought up to date at start; the private copy beside it is the store as it was."""
    await fill(url, make)
    newer_program()
    async with await Store.open(url) as store:
        assert len(await store.suppressed("anna@example.net")) == 1
    copy = path.with_name("store.db.before-9999")
    version, kept = "SELECT version_num FROM alembic_version", "SELECT count(*) FROM suppressions"
    assert execute(path, version, kept) == [("9999",), (1,)]
    assert execute(copy, version, kept) == [("0004",), (1,)]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert not list(path.parent.glob(".store*"))


async def test_upgrade_from_the_first_schema(url, path):
    """A store of the first schema keeps its rows; its old suppressions are in force, and belong to no incident."""
    config = migration._config()
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id = {sqlite.APPLICATION_ID}")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql(
            "INSERT INTO suppressions (address_key, address, scope, cause, created_at, created_by) "
            "VALUES ('a@wp.pl', 'a@wp.pl', 'global', 'hard', '2024-05-01 00:00:00.000000', 'policy')"
        )
    engine.dispose()
    async with await Store.open(url) as store:
        (kept,) = await store.suppressed("a@wp.pl")
        assert (kept.pending, kept.incident, kept.times) == (False, None, 1)
    assert execute(path.with_name("store.db.before-0004"), "SELECT count(*) FROM suppressions") == [(1,)]


async def test_upgrade_from_the_second_schema(url, path):
    """A store of the second schema keeps its suppressions and changes; they are of no import, and nothing is told."""
    config = migration._config()
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id = {sqlite.APPLICATION_ID}")
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql(
            "INSERT INTO suppressions (address_key, address, scope, cause, created_at, created_by, pending, incident) "
            "VALUES ('a@wp.pl', 'a@wp.pl', 'global', 'hard', '2024-05-01 00:00:00.000000', 'policy', 1, 7)"
        )
        connection.exec_driver_sql(
            "INSERT INTO suppression_changes (at, operation, suppression_id, by) "
            "VALUES ('2024-05-01 00:00:00.000000', 'remove', 1, 'policy')"
        )
    engine.dispose()
    async with await Store.open(url) as store:
        (kept,) = await store.listing.held_back("a@wp.pl")
        assert (kept.batch, kept.incident) == ("", 7)
        assert [each.seq for each in await store.changes(0)] == [1]
        assert await store.imports.batches() == ()
        assert await store.cursors.place("hook") == 0
    assert execute(path.with_name("store.db.before-0004"), "SELECT version_num FROM alembic_version") == [("0002",)]


async def test_failed_upgrade_changes_nothing(url, path, make, newer_program):
    """A migration that fails half way leaves the old schema and its rows."""
    await fill(url, make)
    newer_program(broken=True)
    await refused(url, StoreFault.NOT_UPGRADED, "nowhere")
    columns = "SELECT count(*) FROM pragma_table_info('suppressions') WHERE name = 'colour'"
    assert execute(path, columns, "SELECT count(*) FROM suppressions") == [(0,), (1,)]

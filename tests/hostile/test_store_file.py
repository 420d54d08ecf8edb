"""The store's files vanish under a running daemon: nothing is answered as recorded that nobody finds again."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bouncemilter.store import Store, StoreUnavailable
from tests.pipeline.site import Site, verp
from tests.rig import mail

NIKT = "nikt@remote.test"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store that has written, in a folder of its own."""
    (tmp_path / "state").mkdir()
    async with await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'state' / 'store.db'}") as opened:
        await _bounce(opened)
        yield opened


async def _bounce(store: Store) -> None:
    site = Site(store)
    with site.flight(mail.dsn(verp(NIKT), NIKT), verp(NIKT)) as flight:
        verdict, digest = await site.pipeline.read(flight._head, flight._size)
        await site.pipeline.commit(flight._envelope, verdict, digest)


def _replace(path: Path) -> None:
    """As who restores a backup without stopping the daemon."""
    copy = path.with_name("copy.db")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    copy.rename(path)


@pytest.mark.parametrize(
    "accident",
    [Path.unlink, lambda path: path.parent.rename(path.parent.with_name("moved")), _replace],
    ids=["removed", "folder moved", "replaced"],
)
async def test_another_file_or_none(store: Store, tmp_path: Path, accident: Callable[[Path], object]) -> None:
    """Whatever became of the file, the mail stays with the MTA. Red if SQLite's "committed" is believed."""
    accident(tmp_path / "state" / "store.db")
    for _ in range(2):  # on the old connection, and on a new one
        with pytest.raises(StoreUnavailable, match=r"store\.db"):
            await _bounce(store)
    with pytest.raises(StoreUnavailable):
        await store.ping()


async def test_log_removed(store: Store, tmp_path: Path) -> None:
    """Without its write-ahead log the store does not write. Red if what is committed dies with the process."""
    (tmp_path / "state" / "store.db-wal").unlink()
    with pytest.raises(StoreUnavailable, match="wal"):
        await _bounce(store)


async def test_put_back(store: Store, tmp_path: Path) -> None:
    """When the file is back, all goes on."""
    (tmp_path / "state").rename(tmp_path / "moved")
    with pytest.raises(StoreUnavailable):
        await _bounce(store)
    (tmp_path / "moved").rename(tmp_path / "state")
    await _bounce(store)
    assert len(await store.events_of(NIKT)) == 2

"""Start, readiness, watchdog and end of the daemon, seen by a service manager and by clients."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import signal
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bouncemilter.assembly.fronts import hop_key
from bouncemilter.daemon import Daemon, StartError, service
from bouncemilter.fronts.sink import Sink
from bouncemilter.pipeline import path
from bouncemilter.settings import load
from bouncemilter.store import Store, StoreUnavailable
from tests.daemon.conftest import Host, Manager, running, until
from tests.rig import mail

OURS = "b+jan=klient.test@bounces.own.test"


async def test_ready_means_ready(host: Host, manager: Manager) -> None:
    """READY=1 comes once, when sockets answer; then the watchdog is fed; STOPPING=1 begins the end."""
    async with running(host, manager) as task:
        assert await host.rcpt(OURS) == "250"
        assert await host.get("/readyz") == (200, "ready\n")
        assert await host.get("/healthz") == (200, "ok\n")
        await until(lambda: manager.listen() and manager.heard.count("WATCHDOG=1") >= 2)
        assert manager.heard[0] == "READY=1"
        os.kill(os.getpid(), signal.SIGTERM)
        assert await task is True
    assert manager.listen() == ["READY=1", "STOPPING=1"]
    assert not host.lmtp.exists()
    with pytest.raises(ConnectionRefusedError):
        await host.get("/healthz")


async def test_not_ready_while_starting(host: Host, manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the fronts are open /readyz says so; a reload asked for meanwhile is done after the start."""
    entered, go = asyncio.Event(), asyncio.Event()
    start = Sink.start

    async def slow(sink: Sink) -> None:
        entered.set()
        await go.wait()
        await start(sink)

    monkeypatch.setattr(Sink, "start", slow)
    monkeypatch.setattr(service.log, "configure", lambda _: None)
    task = asyncio.create_task(Daemon(load(host.config), host.config).run())
    await entered.wait()
    assert await host.get("/readyz") == (503, "starting\n")
    assert await host.get("/healthz") == (200, "ok\n")
    host.write(addresses='"news@own.test"')
    os.kill(os.getpid(), signal.SIGHUP)
    await asyncio.sleep(0)
    assert manager.listen() == []
    go.set()
    await until(lambda: manager.listen().count("READY=1") == 2)
    assert await host.rcpt("news@own.test") == "250"
    os.kill(os.getpid(), signal.SIGTERM)
    assert await task


async def test_sigint(host: Host, manager: Manager) -> None:
    """Ctrl-C in a terminal ends it as orderly as systemd does."""
    async with running(host, manager) as task:
        os.kill(os.getpid(), signal.SIGINT)
        assert await task is True
    assert manager.listen()[-1] == "STOPPING=1"


async def _lock(other: sqlite3.Connection) -> None:
    """Take the write lock as soon as the writer lets go of it; waiting for it here would stop the writer's loop."""
    while not other.in_transaction:
        with contextlib.suppress(sqlite3.OperationalError):
            other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(0.01)


async def test_store_locked(host: Host, manager: Manager) -> None:
    """While nothing can be written /readyz is 503, /healthz is not, and the watchdog is fed: a restart helps nobody."""
    with capture_logs() as log:
        async with running(host, manager):
            with contextlib.closing(
                sqlite3.connect(host.state / "bouncemilter.db", isolation_level=None, timeout=0)
            ) as other:
                await _lock(other)
                await until(lambda: any(each["event"] == "store_down" for each in log))
                assert await host.get("/readyz") == (503, "store unavailable\n")
                assert (await host.get("/healthz"))[0] == 200
                assert await host.metric("bouncemilter_store_up") == 0
                manager.listen()
                fed = manager.heard.count("WATCHDOG=1")
                await until(lambda: manager.listen() and manager.heard.count("WATCHDOG=1") >= fed + 2)
                other.execute("ROLLBACK")
            await until(lambda: any(each["event"] == "store_recovered" for each in log))
            assert await host.get("/readyz") == (200, "ready\n")
            assert await host.metric("bouncemilter_store_up") == 1
    names = [each["event"] for each in log]
    assert (names.count("store_down"), names.count("store_recovered")) == (1, 1)


async def test_commits_fail_alone(host: Host, manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk the heartbeat may find room where messages don't: /readyz goes by both (F04)."""
    record, full = Store.record, True

    async def no_room(store: Store, entries: Any, tallies: Any = ()) -> Any:
        if full:
            raise StoreUnavailable("database or disk is full")
        return await record(store, entries, tallies)

    monkeypatch.setattr(Store, "record", no_room)
    report = mail.dsn(OURS, "jan@klient.test")
    with capture_logs() as log:
        async with running(host, manager):
            assert (await host.deliver(OURS, report)).startswith("451")
            await until(lambda: any(each["event"] == "store_down" for each in log))
            assert await host.get("/readyz") == (503, "store unavailable\n")
            full = False
            assert (await host.deliver(OURS, report)).startswith("250")
            await until(lambda: any(each["event"] == "store_recovered" for each in log))
            full = True
            assert (await host.deliver(OURS, mail.dsn(OURS, "jan@klient.test"))).startswith("451")
            while (await host.get("/readyz"))[0] == 200:  # noqa: ASYNC110  (the next heartbeat looks)
                await asyncio.sleep(0.01)
            monkeypatch.setattr(path, "REFUSAL_SECONDS", 0.0)
            await until(lambda: [each["event"] for each in log].count("store_recovered") == 2)
            assert await host.get("/readyz") == (200, "ready\n")
    assert [each["event"] for each in log].count("store_down") == 1


@pytest.mark.parametrize("fault", [TimeoutError(), KeyError("x")], ids=["stuck", "unforeseen"])
async def test_stuck(host: Host, manager: Manager, monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    """A round trip that ends neither way leaves the watchdog unfed, and /readyz tells whoever asks (F13)."""
    pinged = asyncio.Event()

    async def ping(_: Store) -> None:
        pinged.set()
        raise fault

    monkeypatch.setattr(Store, "ping", ping)
    async with running(host, manager):
        await pinged.wait()
        await asyncio.sleep(0.2)
        assert await host.get("/readyz") == (503, "store unavailable\n")
    assert "WATCHDOG=1" not in manager.heard


async def test_purge_goes_on(host: Host, manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """A purge that fails is said, and tried again."""
    tries = []

    async def purge(_: Store, now: object, _retention: object) -> None:
        tries.append(now)
        raise [StoreUnavailable("locked"), KeyError("x")][len(tries) % 2]

    monkeypatch.setattr(Store, "purge", purge)
    monkeypatch.setattr(service, "PURGE_SECONDS", 0.01)
    with capture_logs() as log:
        async with running(host, manager):
            await until(lambda: len(tries) >= 3)
    assert [each["event"] for each in log].count("purge_failed") >= 3


async def test_purge_is_held(host: Host, manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the clock is far ahead of the last purge nothing is deleted, and that is said."""

    async def purge(*_: object) -> None:
        pytest.fail("the clock was believed")

    async def purged_at(_: Store) -> dt.datetime:
        return dt.datetime.now(dt.UTC) - dt.timedelta(days=400)

    monkeypatch.setattr(Store, "purge", purge)
    monkeypatch.setattr(Store, "purged_at", purged_at)
    monkeypatch.setattr(service, "PURGE_SECONDS", 0.01)
    with capture_logs() as log:
        async with running(host, manager):
            await until(lambda: [each["event"] for each in log].count("purge_held") >= 2)
    assert "purge_failed" not in [each["event"] for each in log]


async def test_milter_ended(host: Host, manager: Manager) -> None:
    """A front that ends by itself ends the process in good order, and not as done."""
    daemon = Daemon(load(host.config), host.config)
    task = asyncio.create_task(daemon.run())
    await until(lambda: "READY=1" in manager.listen())
    daemon._milter_ended("libmilter ended")
    assert await task is False
    assert manager.listen()[-1] == "STOPPING=1"


@pytest.mark.parametrize("taken", ["web", "inet listener", "unix listener"])
async def test_address_in_use(host: Host, manager: Manager, taken: str) -> None:
    """A start that fails names the address, and leaves nothing open behind it."""
    unix = taken == "unix listener"
    name = str(host.folder / "other.sock") if unix else ("127.0.0.1", 0)
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as other:
        other.bind(name)
        other.listen()
        address = f"unix:{name}" if unix else f"inet:127.0.0.1:{other.getsockname()[1]}"
        if taken == "web":
            host.write(web=address)
        else:
            host.write(more=f'[[sink.listener]]\nprotocol = "smtp"\naddress = "{address}"\n')
        with pytest.raises(StartError, match=f"{address}: Address already in use"):
            await Daemon(load(host.config), host.config).run()
    assert manager.listen() == []
    assert not host.lmtp.exists()
    with pytest.raises(ConnectionRefusedError):
        await host.get("/healthz")
    with contextlib.closing(sqlite3.connect(host.state / "bouncemilter.db", timeout=0)) as store:
        store.execute("BEGIN EXCLUSIVE")


async def test_stale_socket(host: Host, manager: Manager) -> None:
    """A socket file that a killed daemon left behind is no obstacle."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(host.lmtp))
    async with running(host, manager):
        assert await host.rcpt(OURS) == "250"


def test_hop_key(tmp_path: Path) -> None:
    """The secret is made once, for us alone; what a full disk left of one is made anew."""
    path = tmp_path / "hop.key"
    key = hop_key(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert hop_key(path) == key
    path.write_bytes(b"")
    assert len(hop_key(path)) == 32
    assert [each.name for each in tmp_path.iterdir()] == ["hop.key"]

"""What must survive: kill, full disk, a locked store, exceptions, SIGTERM with messages in flight."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import SinkWorld, locked_store, sink_world, verp
from tests.rig import mail
from tests.rig.daemon import Daemon
from tests.rig.lmtp import Client
from tests.rig.milter import MilterClient
from tests.rig.peer import Peer

pytestmark = pytest.mark.servers

NIKT = "nikt@remote.test"
FAULTS = Path(__file__).parent / "faults"
IN_FLIGHT = 50


@contextlib.contextmanager
def faulty_world(folder: Path, peer: Peer) -> Iterator[tuple[SinkWorld, Path]]:
    """A world whose daemon has the faults of faults/sitecustomize.py, and the folder that switches them on."""
    switches = folder / "faults"
    switches.mkdir()
    environment = {"PYTHONPATH": f"{FAULTS}:{Path.cwd()}", "BOUNCEMILTER_FAULTS": str(switches)}
    with sink_world(folder, peer, environment=environment) as world:
        yield world, switches


def _restarted_ends_with_one_event(world: SinkWorld) -> None:
    """After a kill: Postfix still has the mail, and brings it to the daemon that comes after."""
    world.postfix.wait_for(lambda: [each["queue_name"] for each in world.postfix.queue()] == ["deferred"])
    world.daemon.start()
    world.postfix.wait_for(lambda: world.postfix.queue() == [])
    assert len(world.daemon.why(NIKT)["events"]) == 1
    assert world.daemon.why(NIKT)["events"][0]["decision"]["watched"] == "1/2"
    assert world.daemon.balances("sink") == (1, 1, 1)
    assert world.everything_in_mailboxes() == []


def test_f01_killed_before_the_commit(sinking: SinkWorld) -> None:
    """F01: killed between end of message and commit, it left no row; the retry makes one. Red if 250 came early."""
    with locked_store(sinking.daemon) as store:
        sinking.postfix.inject("", [verp(NIKT)], mail.dsn(verp(NIKT), NIKT))
        sinking.daemon.wait_for(lambda: sinking.daemon.metric("bouncemilter_in_flight", front="sink") == 1)
        sinking.daemon.kill()
        assert store.execute("SELECT count(*) FROM events").fetchone() == (0,)
    _restarted_ends_with_one_event(sinking)
    assert sinking.daemon.metric("bouncemilter_duplicates_total", front="sink") == 0


def test_f02_killed_between_commit_and_reply(folder: Path, peer: Peer) -> None:
    """F02: killed after the commit, before its reply: the retry is a duplicate. Red if ids depend on the try."""
    with faulty_world(folder, peer) as (world, switches):
        (switches / "hold_after_commit").touch()
        world.postfix.inject("", [verp(NIKT)], mail.dsn(verp(NIKT), NIKT))
        world.daemon.wait_for(lambda: len(world.daemon.why(NIKT)["events"]) == 1)
        assert world.daemon.metric("bouncemilter_in_flight", front="sink") == 1
        world.daemon.kill()
        (switches / "hold_after_commit").unlink()
        _restarted_ends_with_one_event(world)
        assert world.daemon.metric("bouncemilter_duplicates_total", front="sink") == 1


def test_f04_disk_full(folder: Path, peer: Peer) -> None:
    """F04: on a full disk mail is deferred, /readyz says 503; with room again all of it is there. Red if 250 came."""
    state = folder / "small"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", str(state)], check=True)
    try:
        with sink_world(folder, peer, state=state) as world:
            filler = state / "filler"
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(b"x" * 4096)
            _until_refused(world)
            world.daemon.wait_for(lambda: world.daemon.get("/readyz") == (503, "store unavailable\n"))
            assert world.daemon.metric("bouncemilter_store_up") == 0
            complaints = [each for each in world.daemon.log() if each["event"] == "store_down"]
            assert len(complaints) == 1
            filler.unlink()
            world.daemon.wait_for(world.daemon.is_ready)
            world.postfix.wait_for(lambda: world.postfix.queue() == [])
            sent = world.postfix.log().count("status=sent")
            assert sent == len(world.daemon.why(NIKT)["events"])
            received, judged, disposed = world.daemon.balances("sink")
            assert received == judged == disposed > sent
            assert world.everything_in_mailboxes() == []
    finally:
        subprocess.run(["umount", str(state)], check=True)


def _until_refused(world: SinkWorld) -> None:
    """SQLite may have room in its files for a few events more: send until one is deferred."""
    for _ in range(200):
        world.postfix.inject("", [verp(NIKT)], mail.dsn(verp(NIKT), NIKT))
        if "status=deferred" in world.postfix.log():
            return
    world.postfix.wait_for(lambda: "status=deferred" in world.postfix.log())


def test_f05_another_process_writes(sinking: SinkWorld) -> None:
    """F05: while another process holds the write lock mail is deferred, then taken. Red if it failed for good."""
    with locked_store(sinking.daemon):
        sinking.postfix.inject("", [verp(NIKT)], mail.dsn(verp(NIKT), NIKT))
        sinking.postfix.wait_for(lambda: "status=deferred" in sinking.postfix.log())
    sinking.postfix.wait_for(lambda: sinking.postfix.queue() == [])
    assert len(sinking.daemon.why(NIKT)["events"]) == 1


@pytest.mark.parametrize("locked", [False, True], ids=["store answers", "store locked"])
def test_f09_sigterm_with_messages_in_flight_in_the_sink(sinking: SinkWorld, locked: bool) -> None:
    """F09: told to stop with 50 messages in flight, each gets a reply, and the exit code is 0. Red if one gets none."""
    daemon = sinking.daemon

    async def deliver(number: int) -> str:
        address = f"user{number}@remote.test"
        async with Client(f"unix:{daemon.lmtp}", lmtp=True) as client:
            await client.hello()
            (reply,) = await client.deliver("", [verp(address)], _crlf(mail.dsn(verp(address), address)))
            return reply

    async def deliver_all() -> list[str]:
        with locked_store(daemon) as store:
            tasks = [asyncio.create_task(deliver(number)) for number in range(IN_FLIGHT)]
            await asyncio.to_thread(_wait_for_flights, daemon, "sink")
            daemon.signal(signal.SIGTERM)
            if not locked:
                await asyncio.sleep(0.5)
                store.execute("ROLLBACK")
            return await asyncio.gather(*tasks)

    replies = asyncio.run(deliver_all())
    assert daemon.wait() == 0
    assert {reply[:3] for reply in replies} == ({"451"} if locked else {"250"})


def test_f09_sigterm_with_messages_in_flight_in_the_milter(folder: Path) -> None:
    """F09: the same for the milter: all 50 are answered with DISCARD, and the exit code is 0. Red if one is cut off."""
    tables = '[inbound]\nown_domains = ["own.test"]\naddresses = ["newsletter@own.test"]\n'
    answers: list[str] = []

    def deliver(daemon: Daemon) -> None:
        with MilterClient(str(daemon.milter)) as client:
            client.open()
            content = _crlf(mail.dsn("newsletter@own.test", NIKT))
            answers.append(client.message(["<newsletter@own.test>"], "<>", content).code)

    with Daemon(folder / "daemon", tables, sink=False) as daemon:
        threads = [threading.Thread(target=deliver, args=(daemon,)) for _ in range(IN_FLIGHT)]
        with locked_store(daemon):
            for thread in threads:
                thread.start()
            _wait_for_flights(daemon, "milter")
            daemon.signal(signal.SIGTERM)
            time.sleep(0.5)
        for thread in threads:
            thread.join()
        assert daemon.wait() == 0
    assert answers == ["d"] * IN_FLIGHT  # SMFIR_DISCARD


def test_f11_an_exception_costs_a_retry_and_tells_nothing(folder: Path, peer: Peer) -> None:
    """F11: an exception while reading defers that message; the peer learns no detail, the daemon lives. Red if 250."""
    with faulty_world(folder, peer) as (world, switches):
        (switches / "raise_in_read").touch()
        world.postfix.inject("", [verp(NIKT)], mail.dsn(verp(NIKT), NIKT))
        world.postfix.wait_for(lambda: "status=deferred" in world.postfix.log())
        assert "secret" not in world.postfix.log()
        assert world.daemon.metric("bouncemilter_internal_errors_total", front="sink") >= 1
        assert any(each["event"] == "internal_error" for each in world.daemon.log())
        (switches / "raise_in_read").unlink()
        world.postfix.wait_for(lambda: world.postfix.queue() == [])
        assert len(world.daemon.why(NIKT)["events"]) == 1
        received, judged, disposed = world.daemon.balances("sink")
        assert received == judged == disposed


def test_f21_three_recipients_get_three_replies(sinking: SinkWorld) -> None:
    """F21: three recipients of one LMTP transaction get three replies, on failure too. Red with one for all."""
    recipients = [verp(f"user{number}@remote.test") for number in range(3)]

    async def deliver() -> list[str]:
        async with Client(f"unix:{sinking.daemon.lmtp}", lmtp=True) as client:
            await client.hello()
            replies = await client.deliver("", recipients, _crlf(mail.dsn("b", "user0@remote.test")))
            assert (await client.quit()).startswith("221")  # no reply too many
            return replies

    assert [reply[:3] for reply in asyncio.run(deliver())] == ["250"] * 3
    with locked_store(sinking.daemon):
        assert [reply[:3] for reply in asyncio.run(deliver())] == ["451"] * 3


def _wait_for_flights(daemon: Daemon, front: str) -> None:
    in_flight: Callable[[], bool] = lambda: daemon.metric("bouncemilter_in_flight", front=front) == IN_FLIGHT  # noqa: E731
    daemon.wait_for(in_flight)


def _crlf(message: bytes) -> bytes:
    return message.replace(b"\n", b"\r\n")

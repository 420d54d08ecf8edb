"""SIGHUP: all of the new configuration or, with any fault, nothing (F10)."""

from __future__ import annotations

import os
import re
import signal
import time
from typing import Any

import pytest
from structlog.testing import capture_logs

from bouncemilter.assembly import pipeline
from bouncemilter.daemon import service
from bouncemilter.daemon.reload import needs_restart
from bouncemilter.settings import load
from tests.daemon.conftest import Host, Manager, running, until

NEW = "news@own.test"


@pytest.fixture(autouse=True)
def levels(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The levels that the log was set to; it stays as the test has it."""
    found: list[str] = []
    monkeypatch.setattr(service.log, "configure", found.append)
    return found


async def hang_up(manager: Manager) -> list[str]:
    """Send SIGHUP; what the service manager hears until the reload is over."""
    before = len(manager.listen())
    os.kill(os.getpid(), signal.SIGHUP)
    await until(lambda: len(manager.listen()) >= before + 2)
    return manager.listen()[before:]


def named(log: list[Any], event: str) -> list[Any]:
    return [each for each in log if each["event"] == event]


async def test_taken_over(host: Host, manager: Manager, levels: list[str]) -> None:
    """A good configuration is in force when READY=1 comes; RELOADING=1 tells the time of the monotonic clock."""
    with capture_logs() as log:
        async with running(host, manager):
            assert await host.rcpt(NEW) == "550"
            host.write(addresses=f'"{NEW}"', more='[log]\nlevel = "debug"\n')
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            reloading, ready = await hang_up(manager)
            found = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", reloading)
            assert found is not None
            assert before <= int(found[1]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            assert ready == "READY=1"
            assert await host.rcpt(NEW) == "250"
            assert await host.metric("bouncemilter_reload_success") == 1
            assert levels == ["debug"]
    assert len(named(log, "reloaded")) == 1


async def test_faults(host: Host, manager: Manager) -> None:
    """With faults everything stays as it was, the log lists each of them, the figure says so until it is mended."""
    with capture_logs() as log:
        async with running(host, manager):
            began = await host.metric("bouncemilter_reload_timestamp_seconds")
            host.write(addresses=f'"{NEW}", "*@own.test"', policy='soft_messages = 0\ncolour = "red"')
            assert [each.partition("\n")[0] for each in await hang_up(manager)] == ["RELOADING=1", "READY=1"]
            (failed,) = named(log, "reload_failed")
            keys = [each.split(": ")[1] for each in failed["errors"]]
            assert sorted(keys) == ["inbound.addresses[1]", "policy.colour", "policy.soft_messages"]
            assert await host.rcpt(NEW) == "550"
            assert await host.metric("bouncemilter_reload_success") == 0
            assert await host.metric("bouncemilter_reload_timestamp_seconds") == began
            assert await host.get("/readyz") == (200, "ready\n")
            host.write(addresses=f'"{NEW}"')
            await hang_up(manager)
            assert await host.rcpt(NEW) == "250"
            assert await host.metric("bouncemilter_reload_success") == 1
    assert named(log, "reloaded")


@pytest.mark.parametrize("content", [None, "[", b"\xff"], ids=["missing", "no TOML", "no UTF-8"])
async def test_no_configuration(host: Host, manager: Manager, content: str | bytes | None) -> None:
    """A file that is gone or no TOML changes nothing."""
    with capture_logs() as log:
        async with running(host, manager):
            host.config.unlink()
            if content is not None:
                host.config.write_bytes(content if isinstance(content, bytes) else content.encode())
            await hang_up(manager)
            assert (await host.get("/readyz"))[0] == 200
    (failed,) = named(log, "reload_failed")
    assert len(failed["errors"]) == 1
    assert str(host.config) in failed["errors"][0]


async def test_needs_a_restart(host: Host, manager: Manager) -> None:
    """What only a restart changes is refused, and what stands beside it is not taken over either."""
    with capture_logs() as log:
        async with running(host, manager):
            host.write(addresses=f'"{NEW}"', web="inet:127.0.0.1:9", sink="max_connections = 5")
            await hang_up(manager)
            assert await host.rcpt(NEW) == "550"
            assert await host.metric("bouncemilter_reload_success") == 0
    (failed,) = named(log, "reload_failed")
    assert failed["errors"] == ["only a restart changes sink, web"]


async def test_mailboxes(host: Host, manager: Manager) -> None:
    """A mailbox that is named anew is read from then on."""
    for name in ("cur", "new", "tmp"):
        (host.folder / "Maildir" / name).mkdir(parents=True)
    with capture_logs() as log:
        async with running(host, manager):
            assert named(log, "mailbox_read") == []
            host.write(more=f'[[mailbox]]\nname = "zwroty"\nkind = "maildir"\npath = "{host.folder}/Maildir"\n')
            await hang_up(manager)
            await until(lambda: named(log, "mailbox_read"))
    assert named(log, "mailbox_read")[0]["mailbox"] == "zwroty"
    assert named(log, "reload_failed") == []


async def test_bad_rules(host: Host, manager: Manager) -> None:
    """The operator's rules are part of it: with a fault in them nothing is taken over, and every fault is told."""
    rules = host.folder / "rules.d"
    rules.mkdir()
    (rules / "a.toml").write_text("[[rule]]\n")
    (rules / "b.toml").write_text("[")
    with capture_logs() as log:
        async with running(host, manager):
            host.write(addresses=f'"{NEW}"', more=f'[classify]\nrules_directory = "{rules}"\n')
            await hang_up(manager)
            assert await host.rcpt(NEW) == "550"
    (failed,) = named(log, "reload_failed")
    text = "\n".join(failed["errors"])
    assert "a.toml" in text
    assert "b.toml" in text


async def test_unforeseen(host: Host, manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong inside, the reload ends, for the service manager too."""

    def broken(_: object) -> None:
        raise KeyError("x")

    with capture_logs() as log:
        async with running(host, manager):
            monkeypatch.setattr(pipeline, "pipeline_options", broken)
            host.write(addresses=f'"{NEW}"')
            assert (await hang_up(manager))[1] == "READY=1"
            assert await host.rcpt(NEW) == "550"
            assert await host.metric("bouncemilter_reload_success") == 0
    assert named(log, "reload_failed")[0]["errors"] == ["KeyError('x')"]


@pytest.mark.parametrize(
    ("change", "fixed"),
    [
        ({"sink": 'mta_names = ["mx.own.test"]'}, []),
        ({"more": '[milter]\non_error = "accept"\ntrust_local_users = true\n'}, []),
        ({"more": '[milter]\ntimeout_s = 3.0\non_error = "accept"\n'}, ["milter"]),
        ({"policy": "soft_messages = 3", "more": '[log]\nlevel = "error"\n'}, []),
        ({"top": 'hostname = "mx.own.test"'}, ["hostname"]),
        ({"sink": 'forward_to = "127.0.0.1:25"'}, ["sink"]),
    ],
)
def test_what_a_reload_changes(host: Host, change: dict[str, str], fixed: list[str]) -> None:
    """Sockets, files and what they are used for are fixed; what the path alone uses is not."""
    before = load(host.config)
    host.write(**change)
    after = load(host.config)
    assert after != before
    assert needs_restart(before, after) == fixed

"""The notify protocol, against a fake service manager's socket."""

from __future__ import annotations

import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bouncemilter import notify


class Manager:
    """A service manager: a bound datagram socket."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self.socket.settimeout(5)

    def message(self) -> str:
        return self.socket.recv(4096).decode()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    name = str(tmp_path / "notify") if request.param == "path" else f"@bouncemilter-{secrets.token_hex(8)}"
    made = Manager(name)
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    yield made
    made.socket.close()


@pytest.mark.parametrize(
    ("call", "message"), [("ready", "READY=1"), ("stopping", "STOPPING=1"), ("watchdog", "WATCHDOG=1")]
)
def test_states(manager: Manager, call: str, message: str) -> None:
    """Each state is one datagram with its assignment, by path and by abstract name."""
    assert getattr(notify, call)() is True
    assert manager.message() == message


def test_reloading_carries_the_time(manager: Manager) -> None:
    """RELOADING comes with MONOTONIC_USEC between the clock's reading before and after the call (F10)."""
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert notify.reloading()
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    found = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", manager.message())
    assert found is not None
    assert before <= int(found[1]) <= after


def test_status_is_one_line(manager: Manager) -> None:
    """A line end within a status cannot become another assignment; letters beyond ASCII and surrogates pass."""
    assert notify.status("gotów\nREADY=1\r\n  \udc80")
    assert manager.message() == "STATUS=gotów READY=1 ?"


@pytest.mark.parametrize("path", ["", "relative/path", "vsock:2:1234", "/nonexistent/notify", "/" + "x" * 200])
def test_no_manager(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Without a usable socket every call says False and none raises."""
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    calls = (notify.ready, notify.reloading, notify.stopping, notify.watchdog, lambda: notify.status("x"))
    assert not any(call() for call in calls)


def test_outside_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without NOTIFY_SOCKET nothing is sent and nobody is told so."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert notify.ready() is False


def test_a_full_socket_does_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manager that never reads costs the message, not the daemon."""
    full = Manager(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", full.name)
    assert not all(notify.watchdog() for _ in range(10_000))
    full.socket.close()


@pytest.mark.parametrize(
    ("usec", "pid", "interval"),
    [
        ("30000000", "", 15.0),
        ("30000000", "own", 15.0),
        ("30000000", "1", None),
        ("0", "", None),
        ("-5", "", None),
        ("soon", "", None),
        ("²", "", None),
        ("", "", None),
    ],
)
def test_watchdog_interval(monkeypatch: pytest.MonkeyPatch, usec: str, pid: str, interval: float | None) -> None:
    """Half of the watchdog's time, and only where it is this process that it waits for."""
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "own" else pid)
    assert notify.watchdog_interval() == interval

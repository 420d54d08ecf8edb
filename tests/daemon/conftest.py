"""A daemon within the test's own process, and a fake service manager."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bouncemilter.daemon import Daemon, service
from bouncemilter.settings import load
from tests.rig.lmtp import Client
from tests.rig.postfix import free_ports

TURN = 0.01
"""Seconds between two looks."""


class Manager:
    """A service manager's socket; `heard` holds every message so far."""

    def __init__(self, path: Path) -> None:
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))

    def listen(self) -> list[str]:
        """Every message so far, the watchdog's left out."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.heard.append(self._socket.recv(4096).decode())
        return [each for each in self.heard if each != "WATCHDOG=1"]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    made = Manager(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    yield made
    made.close()


class Host:
    """A folder with a configuration, and what a client sees of the daemon that has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir()
        self.config = folder / "bouncemilter.toml"
        self.lmtp = folder / "lmtp.sock"
        self.port = free_ports(1)[0]
        self.write()

    def write(
        self, *, addresses: str = "", web: str = "", policy: str = "", sink: str = "", top: str = "", more: str = ""
    ) -> None:
        """Write the configuration, with further lines in its tables."""
        self.config.write_text(f"""\
state_directory = "{self.state}"
{top}
[web]
address = "{web or f"inet:127.0.0.1:{self.port}"}"
[store]
busy_timeout_s = 0.05
[policy]
preset = "standard"
{policy}
[inbound]
addresses = [{addresses}]
own_domains = ["own.test"]
[[return_path]]
domain = "bounces.own.test"
prefix = "b"
sender_domains = ["own.test"]
[sink]
{sink}
[[sink.listener]]
protocol = "lmtp"
address = "unix:{self.lmtp}"
{more}
""")

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
        return int(head.split(" ")[1]), body

    async def metric(self, sample: str) -> float:
        """The value of one sample, named with its labels as on the page."""
        lines = (await self.get("/metrics"))[1].splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == sample)

    async def rcpt(self, recipient: str) -> str:
        """The sink's answer to a recipient."""
        async with Client(f"unix:{self.lmtp}", lmtp=True) as client:
            await client.hello()
            return (await client.envelope("", [recipient]))[1][:3]

    async def deliver(self, recipient: str, content: bytes) -> str:
        """The sink's answer to a message."""
        async with Client(f"unix:{self.lmtp}", lmtp=True) as client:
            await client.hello()
            return (await client.deliver("", [recipient], content.replace(b"\n", b"\r\n")))[0]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


async def until(true: Callable[[], Any]) -> None:
    """Wait until `true()` is; TimeoutError where it is not within 10 s."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  (it is another party that acts)
            await asyncio.sleep(TURN)


@contextlib.asynccontextmanager
async def running(host: Host, manager: Manager) -> AsyncIterator[asyncio.Task[bool]]:
    """The daemon from READY=1 to its end; the task's result is what `run` returned."""
    task = asyncio.create_task(Daemon(load(host.config), host.config).run())
    try:
        await until(lambda: task.done() or "READY=1" in manager.listen())
        yield task
    finally:
        if not task.done():
            os.kill(os.getpid(), signal.SIGTERM)
        await task


@pytest.fixture(autouse=True)
def _quick_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PING_SECONDS", 0.05)

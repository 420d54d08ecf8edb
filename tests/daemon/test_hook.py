"""The hook: what it is told, how often, and that nothing else waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bouncemilter.daemon import hook
from bouncemilter.daemon.hook import LAG, RUNS, Hook, RunResult
from bouncemilter.model import Cause, Scope, Sentence
from bouncemilter.store import Store
from tests.daemon.conftest import Host, Manager, running, until
from tests.rig import mail

BY_HAND = Sentence(Scope.GLOBAL, "", Cause.MANUAL, None)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(hook, "RETRY_SECONDS", (0.01, 0.02))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


class Program:
    """A program that keeps what it is told."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "program"
        self.told = folder / "told"
        self.write()

    def write(self, before: str = "", after: str = "") -> None:
        """Make it anew, with shell commands before and behind its reading."""
        new = self.path.with_suffix(".new")
        new.write_text(f'#!/bin/sh\n{before}\ncat >> "{self.told}"\necho . >> "{self.told}.runs"\n{after}\n')
        new.chmod(0o755)
        new.replace(self.path)

    def changes(self) -> list[dict[str, Any]]:
        """Everything that it was told so far."""
        return [json.loads(line) for line in self.told.read_text().splitlines()] if self.told.exists() else []

    def addresses(self) -> list[str]:
        return [each["address"] for each in self.changes()]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@contextlib.asynccontextmanager
async def telling(store: Store, *command: str) -> AsyncIterator[None]:
    task = asyncio.create_task(Hook(store, lambda: command).run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def runs(outcome: RunResult) -> float:
    return RUNS.labels(outcome)._value.get()


async def until_at(store: Store, seq: int) -> None:
    """Wait until the hook has come so far."""
    async with asyncio.timeout(10):
        while await store.cursors.place("hook") != seq:  # noqa: ASYNC110  (it is another party that acts)
            await asyncio.sleep(0.01)


@pytest.fixture
def log() -> Iterator[list[Any]]:
    with capture_logs() as found:
        yield found


async def suppress(store: Store, *names: str) -> None:
    for name in names:
        await store.suppress(f"{name}@klient.test", BY_HAND, by="ewa")


async def test_told_in_order_and_once(store: Store, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that takes what it is told is told each change once, in order, in runs of a bounded size."""
    monkeypatch.setattr(hook, "BATCH", 2)
    await suppress(store, "a", "b", "c")
    before = runs(RunResult.OK)
    async with telling(store, str(program.path)):
        await until(lambda: len(program.changes()) == 3)
        await store.lift("a@klient.test", by="adam")
        await until(lambda: len(program.changes()) == 4)
        await until(lambda: LAG._value.get() == 0)
    assert program.addresses() == [f"{name}@klient.test" for name in "abca"]
    assert [each["operation"] for each in program.changes()] == ["add", "add", "add", "remove"]
    assert runs(RunResult.OK) == before + 3
    async with telling(store, str(program.path)):  # as after a restart
        await suppress(store, "d")
        await until(lambda: len(program.changes()) == 5)


async def test_failing_is_told_again(store: Store, program: Program, log: list[Any]) -> None:
    """One that fails is told the same again until it takes it; its words are logged without controls."""
    program.write(after="printf 'no \\033[31m way' >&2; exit 3")
    await suppress(store, "a")
    async with telling(store, str(program.path)):
        await until(lambda: len(program.changes()) >= 2)
        await suppress(store, "b")
        program.write()
        await until(lambda: "b@klient.test" in program.addresses())
        await until(lambda: LAG._value.get() == 0)
    assert set(program.addresses()[:-2]) == {"a@klient.test"}
    failed = [each for each in log if each["event"] == "hook_failed"]
    assert (failed[0]["outcome"], failed[0]["error"]) == ("failed", "code 3: no [31m way")
    assert [each["event"] for each in log][-1] == "hook_recovered"


async def test_slow_is_killed(store: Store, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that never ends is killed after its time, with what it has started, and told again."""
    monkeypatch.setattr(hook, "RUN_SECONDS", 0.2)
    program.write(after="sleep 1000 & sleep 1000")
    await suppress(store, "a")
    before = runs(RunResult.TIMEOUT)
    async with telling(store, str(program.path)):
        await until(lambda: runs(RunResult.TIMEOUT) >= before + 2)
    assert set(program.addresses()) == {"a@klient.test"}
    assert await store.cursors.place("hook") == 0


@pytest.mark.parametrize(
    "before", ["exit 0", "head -c 1 >/dev/null; exit 0", "yes | head -c 1000000 >&2; yes | head -c 300000; exit 0"]
)
async def test_reads_nothing_or_talks_much(store: Store, program: Program, before: str) -> None:
    """One that ends with 0 has taken all, whether it has read it or not, and however much it says."""
    program.write(before)
    for start in range(0, 400, 100):
        await asyncio.gather(*(suppress(store, f"a{number}") for number in range(start, start + 100)))
    async with telling(store, str(program.path)):
        await until_at(store, 400)


@pytest.mark.parametrize("leave", ["setsid sleep 1000 & echo $! > {pid}", "setsid sleep 1000 <&0 & echo $! > {pid}"])
async def test_leaves_a_daemon(
    store: Store, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leave: str
) -> None:
    """One that leaves a process in a session of its own, with its pipes open, holds up none of the next runs."""
    monkeypatch.setattr(hook, "LAST_WORDS_SECONDS", 0.1)
    monkeypatch.setattr(hook, "BATCH", 1)
    pid = tmp_path / "pid"
    program.write(after=f"echo lost >&2; {leave.format(pid=f'{pid}.$$')}")
    await suppress(store, "a", "b", "c")
    try:
        async with telling(store, str(program.path)):
            await until_at(store, 3)
        assert program.addresses() == [f"{name}@klient.test" for name in "abc"]
    finally:
        for each in tmp_path.glob("pid.*"):  # noqa: ASYNC240  (a few names)
            os.kill(int(each.read_text()), signal.SIGKILL)


async def test_not_there(store: Store, tmp_path: Path, program: Program, log: list[Any]) -> None:
    """One that is not there, or may not be run, is told as soon as it can be."""
    await suppress(store, "a")
    path = tmp_path / "later"
    before = runs(RunResult.UNAVAILABLE)
    async with telling(store, str(path)):
        await until(lambda: runs(RunResult.UNAVAILABLE) > before)
        program.path.rename(path)
        await until(lambda: program.addresses() == ["a@klient.test"])
    assert "No such file" in log[0]["error"]


async def test_no_environment_of_ours(store: Store, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets nothing of the service manager's, and its arguments are read by no shell."""
    monkeypatch.setenv("NOTIFY_SOCKET", "/x")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/y")
    seen = program.told.with_suffix(".env"), program.told.with_suffix(".argument")
    program.write(before=f'env > "{seen[0]}"; echo "$1" > "{seen[1]}"')
    await suppress(store, "a")
    async with telling(store, str(program.path), "$(id); 'x"):
        await until(program.changes)
    environment, argument = (each.read_text() for each in seen)
    assert "NOTIFY" not in environment
    assert "CREDENTIALS" not in environment
    assert argument == "$(id); 'x\n"


async def test_stopped_in_the_midst(store: Store, program: Program) -> None:
    """A run that is cut off by our own end is killed, and its changes come again."""
    program.write(after="sleep 1000")
    await suppress(store, "a")
    async with telling(store, str(program.path)):
        await until(program.changes)
    program.write()
    async with telling(store, str(program.path)):
        await until(lambda: program.addresses() == ["a@klient.test"] * 2)


async def test_store_put_back(store: Store, program: Program) -> None:
    """Where the store knows fewer changes than were told, it goes on with what comes."""
    await store.cursors.move("hook", 99)
    async with telling(store, str(program.path)):
        await until_at(store, 0)
        await suppress(store, "a")
        await until(lambda: program.addresses() == ["a@klient.test"])


async def test_mail_never_waits(host: Host, manager: Manager, program: Program) -> None:
    """The daemon tells its suppressions to a program that hangs, and answers mail meanwhile."""
    program.write(after="sleep 1000")
    host.write(more=f'[hooks]\non_change = ["{program.path}"]')
    address = "b+jan=klient.test@bounces.own.test"
    async with running(host, manager):
        for _ in range(2):
            await host.deliver(address, mail.dsn(address, "jan@klient.test"))
        await until(lambda: program.addresses() == ["jan@klient.test"])
        async with asyncio.timeout(5):
            assert (await host.deliver(address, mail.dsn(address, "jan@klient.test"))).startswith("250")
        async with asyncio.timeout(10):
            while await host.metric("bouncemilter_hook_lag") != 1:  # noqa: ASYNC110  (a figure, not an event)
                await asyncio.sleep(0.05)

"""The daemon's mailboxes: polled by their interval, tried less often while they fail, ended when told."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import REGISTRY

from bouncemilter.fronts.mailbox import After, MailboxOptions, Secret, SourceKind, front, poll
from bouncemilter.fronts.mailbox.front import MailboxFront
from bouncemilter.model import Front
from tests.fronts.mailbox.conftest import Reader
from tests.pipeline.site import JAN, Ledger, verp
from tests.rig import mail


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"bouncemilter_mailbox_{name}", labels) or 0.0


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  (it is another task that acts)
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def polling(
    reader: Reader, *mailboxes: MailboxOptions, clock: Callable[[], float]
) -> AsyncIterator[MailboxFront]:
    made = MailboxFront(mailboxes, reader.site.pipeline, reader.state, clock)
    made.start()
    try:
        yield made
    finally:
        await made.stop(5)


def put(maildir: Path, name: str) -> None:
    (maildir / "new" / name).write_bytes(mail.dsn(verp(JAN), JAN))


async def test_polls(reader: Reader, maildir: Path) -> None:
    """What comes between two looks is read at the second; figures and balances tell of it."""
    put(maildir, "1.a")
    ledger, before = Ledger(Front.MAILBOX), figure("messages_total", outcome="recognised")
    polls = figure("polls_total", outcome="success")
    options = MailboxOptions("x", SourceKind.MAILDIR, path=str(maildir), interval=0.05)
    with structlog.testing.capture_logs() as logged:
        async with polling(reader, options, clock=Clock()):
            await until(lambda: figure("polls_total", outcome="success") > polls)
            put(maildir, "2.b")
            await until(lambda: figure("messages_total", outcome="recognised") == before + 2)
            assert figure("last_success_timestamp_seconds") > 0
    assert ledger.changed() == {"received": 2, "kind bounce": 2, "disposition discard": 2}
    told = [each for each in logged if each["event"] == "mailbox_read"]
    assert sum(each["recognised"] for each in told) == 2
    assert {each["mailbox"] for each in told} == {"x"}


async def test_back_off(reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailbox that can't be read is tried after its interval, then at twice that, up to the longest pause."""
    monkeypatch.setattr(front, "LONGEST_PAUSE", 0.08)
    options = MailboxOptions("x", SourceKind.MAILDIR, path=str(tmp_path / "none"), interval=0.02)
    failures = figure("polls_total", outcome="failure")
    with structlog.testing.capture_logs() as logged:
        async with polling(reader, options, clock=Clock()):
            await until(lambda: figure("polls_total", outcome="failure") >= failures + 5)
    told = [each for each in logged if each["event"] == "mailbox_failed"]
    assert len(told) >= 5
    assert all("none" in each["error"] and each["mailbox"] == "x" for each in told)


async def test_one_bad_message(reader: Reader, maildir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that can't be read is told of each time, and does not make the others wait longer."""
    monkeypatch.setattr(front, "LONGEST_PAUSE", 3600.0)
    (maildir / "new" / "00.bad").symlink_to("/proc/self/mem")
    options = MailboxOptions("x", SourceKind.MAILDIR, path=str(maildir), interval=0.02)
    with structlog.testing.capture_logs() as logged:
        async with polling(reader, options, clock=Clock()):
            await until(lambda: len(logged) >= 9)
            put(maildir, "1.a")
            await until(lambda: [each for each in logged if each["event"] == "event_recorded"])
    failed = [each for each in logged if each["event"] == "mailbox_failed"]
    assert {each["retry_in"] for each in failed} == {0}
    assert all("00.bad" in each["error"] for each in failed)


@pytest.mark.parametrize(
    ("failures", "pause"), [(0, 900), (1, 900), (2, 1800), (3, 3600), (4, 7200), (5, 14_400), (50, 14_400)]
)
def test_pauses(failures: int, pause: float) -> None:
    """15 minutes, 30, an hour, two, four, and no longer."""
    assert front.pause(900, failures) == pause


def test_long_interval() -> None:
    """An interval beyond the longest pause stays what it is."""
    assert front.pause(86_400, 3) == 86_400


async def test_overdue(reader: Reader, maildir: Path, tmp_path: Path) -> None:
    """Overdue is what has not been read to its end for longer than its interval; the worst counts."""
    clock = Clock()
    good = MailboxOptions("good", SourceKind.MAILDIR, path=str(maildir), interval=900)
    bad = MailboxOptions("bad", SourceKind.MAILDIR, path=str(tmp_path / "none"), interval=900)
    failures, polls = figure("polls_total", outcome="failure"), figure("polls_total", outcome="success")
    async with polling(reader, good, bad, clock=clock) as found:
        await until(lambda: figure("polls_total", outcome="failure") > failures)
        await until(lambda: figure("polls_total", outcome="success") > polls)
        assert found.overdue() == 0
        clock.now += 1000
        assert found.overdue() == 100
        assert figure("overdue_seconds") == 100
    assert MailboxFront([], reader.site.pipeline, reader.state).overdue() == 0


async def test_stop_in_the_midst(reader: Reader, maildir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to stop, a pass ends after the batch that is under way; the next one goes on from there."""
    monkeypatch.setattr(poll, "BATCH", 2)
    for number in range(20):
        put(maildir, f"{number}.a")
    options = MailboxOptions("x", SourceKind.MAILDIR, path=str(maildir), interval=900)
    before, received = figure("messages_total", outcome="recognised"), Ledger(Front.MAILBOX).before["received"]
    async with polling(reader, options, clock=Clock()) as found:
        await until(lambda: Ledger(Front.MAILBOX).before["received"] > received)
        await found.stop(5)
    first = figure("messages_total", outcome="recognised") - before
    assert first < 20
    assert first % 2 == 0
    rest = await reader.read(SourceKind.MAILDIR, maildir)
    assert rest.seen_before == first
    assert rest.read == 20 - first
    assert len(await reader.site.events(JAN)) == 20


async def test_surprise(reader: Reader, maildir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours ends one pass, and no more."""
    calls = []

    async def run(_: object) -> None:
        calls.append(1)
        raise RuntimeError("surprise")

    monkeypatch.setattr(front.Poll, "run", run)
    options = MailboxOptions("x", SourceKind.MAILDIR, path=str(maildir), interval=0.01)
    with structlog.testing.capture_logs() as logged:
        async with polling(reader, options, clock=Clock()):
            await until(lambda: len(calls) > 1)
    assert {each["event"] for each in logged} == {"mailbox_error", "mailbox_failed"}


async def test_other_mailboxes(reader: Reader, maildir: Path, tmp_path: Path) -> None:
    """New settings: what is new is read at once, what is gone no more, and what stayed the same goes on as it was."""
    for name in ("gone", "new"):
        for part in ("cur", "new", "tmp"):
            (tmp_path / name / part).mkdir(parents=True)
    kept = MailboxOptions("kept", SourceKind.MAILDIR, path=str(maildir), interval=900)
    gone = MailboxOptions("gone", SourceKind.MAILDIR, path=str(tmp_path / "gone"), interval=0.02)
    new = MailboxOptions("new", SourceKind.MAILDIR, path=str(tmp_path / "new"), interval=0.02)
    with structlog.testing.capture_logs() as logged:

        def passes() -> list[str]:
            return [each["mailbox"] for each in logged if each["event"] == "mailbox_read"]

        async with polling(reader, kept, gone, clock=Clock()) as found:
            await until(lambda: {"kept", "gone"} <= set(passes()))
            found.configure([kept, new])
            put(tmp_path / "new", "1.a")
            await until(lambda: passes().count("new") > 3)
            after = passes()
    assert len(await reader.site.events(JAN)) == 1
    assert after.count("kept") == 1
    assert "gone" not in after[after.index("new") + 2 :]


async def test_changed_mailbox(reader: Reader, maildir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailbox with other settings waits until the pass by the old ones has ended, and is no less overdue for it."""
    clock = Clock()
    put(maildir, "1.a")
    old = MailboxOptions("x", SourceKind.MAILDIR, path=str(maildir), interval=900)
    going_on, passes = asyncio.Event(), []
    run = front.Poll.run

    async def slowly(self: poll.Poll) -> object:
        passes.append(self._options.after)
        if len(passes) == 1:
            await going_on.wait()
        return await run(self)

    monkeypatch.setattr(front.Poll, "run", slowly)
    failures = figure("polls_total", outcome="failure")
    async with polling(reader, old, clock=clock) as found:
        await until(lambda: passes)
        clock.now += 1000
        found.configure([dataclasses.replace(old, after=After.MOVE, move_to="Zwroty")])
        assert found.overdue() == 100
        await asyncio.sleep(0)
        assert passes == [After.LEAVE]
        going_on.set()
        await until((maildir / ".Zwroty/cur/1.a:2,").exists)
        await until(lambda: found.overdue() == 0)
    assert passes == [After.LEAVE, After.MOVE]
    assert figure("polls_total", outcome="failure") == failures
    assert len(await reader.site.events(JAN)) == 1


async def test_stop_while_connecting(reader: Reader) -> None:
    """A server that does not even greet does not hold up the daemon's end, and nothing is said to have failed."""
    with socket.create_server(("127.0.0.1", 0)) as listening, structlog.testing.capture_logs() as logged:
        port = listening.getsockname()[1]
        secret = Secret(held="pw")
        options = MailboxOptions(
            "x", SourceKind.IMAP, host="127.0.0.1", port=port, user="jan", secret=secret, timeout=3600
        )
        async with polling(reader, options, clock=Clock()) as found:
            connection, _ = await asyncio.to_thread(listening.accept)
            await found.stop(3600)
            connection.close()
    assert logged == []

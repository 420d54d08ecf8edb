"""The daemon's mailboxes: polled by their interval, tried less often while they fail, ended when told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import REGISTRY

from bouncemilter.fronts.mailbox import MailboxOptions, SourceKind, front, visit
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
    monkeypatch.setattr(visit, "BATCH", 2)
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

    monkeypatch.setattr(front.Visit, "run", run)
    options = MailboxOptions("x", SourceKind.MAILDIR, path=str(maildir), interval=0.01)
    with structlog.testing.capture_logs() as logged:
        async with polling(reader, options, clock=Clock()):
            await until(lambda: len(calls) > 1)
    assert {each["event"] for each in logged} == {"mailbox_error", "mailbox_failed"}

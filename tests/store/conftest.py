"""A store to test, and events to put into it."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bouncemilter.model import (
    Action,
    Category,
    Cause,
    Decision,
    Defect,
    Effect,
    Event,
    Front,
    History,
    Kind,
    Phase,
    Returned,
    Scope,
    Sentence,
    Trust,
)
from bouncemilter.store import Entry, Store, Tally

NOON = dt.datetime(2024, 5, 14, 12, 0, 0, 250_000, tzinfo=dt.UTC)


class Make:
    """Short ways to say what a test is about."""

    noon = NOON
    tally = Tally(Front.SINK, Kind.BOUNCE, Category.MAILBOX_FULL, Trust.TOKEN)

    @staticmethod
    def event(name: str, address: str = "anna@example.net", **fields: object) -> Event:
        """A soft bounce with every field filled."""
        event = Event(
            id=name,
            at=NOON,
            front=Front.SINK,
            kind=Kind.BOUNCE,
            envelope_recipient="wraca+abc@odbicia.example.pl",
            envelope_sender="",
            trust=Trust.TOKEN,
            trust_reason="verp",
            address_key=address,
            address=address.upper(),
            reported_address="other@example.org",
            forwarded=True,
            action=Action.FAILED,
            status="5.2.2",
            reply_code="552",
            phase=Phase.RCPT,
            category=Category.MAILBOX_FULL,
            rule="fallback.status",
            template="552 5.2.2 skrzynka pełna",
            diagnostic="552 5.2.2 <anna@example.net>: skrzynka pełna",
            remote_host="mx.example.net",
            message_key=f"mid:{name}",
            returned=Returned("<1@example.pl>", "news@example.pl", address, "Zażółć", "l.example.pl", "c", "r@x.test"),
            sender_domain="example.pl",
            format="dsn",
            report_message_id="<r1@example.net>",
            excerpt="Proszę spróbować później",
            defects=(Defect.TRUNCATED, Defect.BAD_STATUS),
            rule_version="0.1.0+1a2b3c4d",
        )
        return replace(event, **fields)

    @staticmethod
    def counted(_history: History) -> Decision:
        return Decision(Effect.COUNTED, "soft, message 1 of 4 within 32 days", counts=True, watched="1/4")

    @staticmethod
    def succeeded(_history: History) -> Decision:
        return Decision(Effect.SUCCESS, "a sign of life")

    @staticmethod
    def suppressed(
        cause: Cause = Cause.HARD,
        scope: Scope = Scope.GLOBAL,
        scope_value: str = "",
        expires_at: dt.datetime | None = None,
    ) -> Callable[[History], Decision]:
        """A policy that suppresses at once."""
        sentence = Sentence(scope, scope_value, cause, expires_at)
        return lambda _history: Decision(Effect.SUPPRESSED, "hard, at once", counts=True, sentence=sentence)

    def entry(
        self,
        name: str,
        judge: Callable[[History], Decision] | None = None,
        address: str = "anna@example.net",
        **fields: object,
    ) -> Entry:
        """An event and its judge; counted unless another is given."""
        return Entry(self.event(name, address, **fields), judge or self.counted)

    def seen(self, histories: list[History], judge: Callable[[History], Decision] | None = None) -> Callable:
        """A judge that keeps the histories that it is shown."""

        def look(history: History) -> Decision:
            histories.append(history)
            return (judge or self.counted)(history)

        return look


@pytest.fixture
def make() -> Make:
    return Make()


class Clock:
    """Now, as the test says."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _sqlite(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'store.db'}"


ENGINES = {"sqlite": _sqlite}
"""The engines that the contract is run on: a name, and how to get the URL of an empty database."""


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return ENGINES[request.param](tmp_path)


@pytest.fixture
async def store(url: str, clock: Clock) -> AsyncIterator[Store]:
    async with await Store.open(url, clock=clock, busy_timeout=0.5) as opened:
        yield opened

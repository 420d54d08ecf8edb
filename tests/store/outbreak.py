"""Failures of many addresses at once, judged by the real policy."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from bouncemilter import policy
from bouncemilter.model import Category, Decision, Effect, Event, Front, History, Kind, Sent, Trust
from bouncemilter.policy import Preset, Rules
from bouncemilter.store import Entry, Recorded, Store

STANDARD = Rules(preset=Preset.STANDARD)
GMAIL_SAYS = "550 5.1.1 the email account that you tried to reach does not exist"
DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)
_numbers = itertools.count()


def people(count: int, domain: str = "gmail.com", name: str = "user") -> list[str]:
    """So many addresses at a domain."""
    return [f"{name}{number}@{domain}" for number in range(count)]


def failure(address: str, at: dt.datetime, category: Category = Category.USER_UNKNOWN, **fields: Any) -> Event:
    """A bounce with a valid token, of a message of its own."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "id": f"{number:032x}",
        "at": at,
        "front": Front.SINK,
        "kind": Kind.BOUNCE,
        "envelope_recipient": "b+token@bounces.example.com",
        "envelope_sender": "",
        "trust": Trust.TOKEN,
        "trust_reason": "token",
        "address_key": address,
        "address": address,
        "category": category,
        "message_key": f"nonce:{number}",
        "sender_domain": "example.com",
        "template": GMAIL_SAYS if category is Category.USER_UNKNOWN else f"words about {category}",
    }
    return Event(**(values | fields))


def judged(event: Event, rules: Rules = STANDARD) -> Entry:
    """An event with the real policy."""

    def judge(history: History) -> Decision:
        return policy.decide(event, history, rules)

    return Entry(event, judge)


async def fail(store: Store, events: Iterable[Event], rules: Rules = STANDARD) -> list[Recorded]:
    """Record failures, each in a message of its own, as many at once as fit."""
    answers = await asyncio.gather(*(store.record([judged(each, rules)]) for each in events))
    return [each for answer in answers for each in answer]


async def mail(store: Store, addresses: Sequence[str], at: dt.datetime) -> None:
    """Record that mail was sent to addresses."""
    sent = [Sent(each, at, "news", "l.example.com", "c1", "example.com", each.partition("@")[2]) for each in addresses]
    await store.sent.record(sent)


def effects(recorded: Iterable[Recorded]) -> dict[Effect, int]:
    """How often each effect came."""
    found: dict[Effect, int] = {}
    for each in recorded:
        assert each.decision
        found[each.decision.effect] = found.get(each.decision.effect, 0) + 1
    return found

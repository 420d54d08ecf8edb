"""A month of mailings with what came back of them, put into a store."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from typing import Any

from bouncemilter.model import (
    Category,
    Decision,
    Effect,
    Event,
    Front,
    Kind,
    Returned,
    Sent,
    Trust,
)
from bouncemilter.store import Entry, Store, Tally

DAY = dt.timedelta(days=1)
NOON = dt.datetime(2026, 10, 20, 12, tzinfo=dt.UTC)
HOSTILE = '<script>alert(1)</script> =HYPERLINK("http://evil.test") \' " & </title>'

_numbers = itertools.count(1)


def failure(address: str, category: Category | None = Category.USER_UNKNOWN, **fields: Any) -> Event:
    """A bounce of a message of its own, at NOON."""
    number = next(_numbers)
    returned = Returned(
        message_id=f"<{number}@own.test>",
        subject=fields.pop("subject", "News"),
        list_id=fields.pop("list_id", ""),
        campaign=fields.pop("campaign", ""),
    )
    event = Event(
        id=f"event{number:08}",
        at=NOON,
        front=Front.SINK,
        kind=Kind.BOUNCE,
        envelope_recipient="b@bounces.own.test",
        envelope_sender="",
        trust=Trust.TOKEN,
        trust_reason="token",
        address_key=address,
        address=address,
        category=fields.pop("category", category),
        rule="user-unknown",
        reply_code="550",
        status="5.1.1",
        diagnostic=f"550 5.1.1 <{address}>: User unknown",
        template="550 5.1.1 <>: User unknown",
        remote_host=f"mx.{address.rpartition('@')[2]}",
        message_key=f"mid:<{number}@own.test>",
        sender_domain="own.test",
        returned=returned,
    )
    return dataclasses.replace(event, **fields)


async def record(store: Store, *events: Event) -> None:
    """Put events into the store as the path does; policy only watches."""
    decision = Decision(Effect.COUNTED, "hard, message 1 of 2", counts=True, watched="1/2")
    entries = [Entry(each, lambda _: decision) for each in events]
    tallies = [Tally(each.front, each.kind, each.category, each.trust) for each in events]
    await store.record(entries, tallies)


def sent(n: int, at: dt.datetime = NOON, provider: str = "klient.test", **fields: str) -> list[Sent]:
    """So many messages to different people of a provider."""
    values = {"stream": "news", "sender_domain": "own.test"} | fields
    return [Sent(f"p{next(_numbers)}@{provider}", at, provider=provider, **values) for _ in range(n)]

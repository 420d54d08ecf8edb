"""Events and histories to judge."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from bouncemilter import policy
from bouncemilter.model import (
    Category,
    Cause,
    Decision,
    Effect,
    Event,
    Front,
    History,
    Kind,
    Mark,
    Returned,
    Scope,
    Trust,
)
from bouncemilter.policy import Preset, Rules

START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
STANDARD = Rules(preset=Preset.STANDARD)
HARD = (Scope.GLOBAL, "", Cause.HARD)
SOFT = (Scope.GLOBAL, "", Cause.SOFT)
LIST_ID = "news.example.com"
OWN = frozenset({"example.com"})


def at(days: float = 0, seconds: float = 0) -> dt.datetime:
    """A time after START."""
    return START + dt.timedelta(days=days, seconds=seconds)


def event(
    category: Category | None = Category.USER_UNKNOWN, days: float = 0, message: str = "", **fields: Any
) -> Event:
    """A bounce with a valid token, of a message of its own unless `message` names it."""
    values: dict[str, Any] = {
        "id": f"{days}-{message}",
        "at": at(days),
        "front": Front.SINK,
        "kind": Kind.BOUNCE,
        "envelope_recipient": "b@bounces.example.com",
        "envelope_sender": "",
        "trust": Trust.TOKEN,
        "trust_reason": "token",
        "address_key": "jan@example.pl",
        "address": "Jan@example.pl",
        "category": category,
        "message_key": f"mid:<{message or days}@example.com>",
        "sender_domain": "example.com",
    }
    return Event(**(values | fields))


def listed(**fields: Any) -> dict[str, Any]:
    """The fields of an event whose returned message has a List-ID."""
    return {"returned": Returned(list_id=LIST_ID), **fields}


class Mailbox:
    """An address whose events come one after another, as the store would judge them."""

    def __init__(self, rules: Rules = STANDARD) -> None:
        self.rules = rules
        self.history = History()
        self.decisions: list[Decision] = []

    def get(self, *events: Event) -> Decision:
        """Judge `events` in this order; the decision on the last."""
        for each in events:
            self._get(each)
        return self.decisions[-1]

    def _get(self, new: Event) -> None:
        decision = policy.decide(new, self.history, self.rules, OWN)
        history = self.history
        if decision.counts:
            marks = sorted((*history.marks, Mark.of(new)), key=lambda one: one.at)
            history = dataclasses.replace(history, marks=tuple(marks))
        if decision.effect is Effect.SUCCESS:
            latest = max(new.at, history.last_success or new.at)
            history = dataclasses.replace(history, last_success=latest)
        if decision.effect is Effect.SUPPRESSED:
            assert decision.sentence
            slot = (decision.sentence.scope, decision.sentence.scope_value, decision.sentence.cause)
            history = dataclasses.replace(history, suppressed=history.suppressed | {slot})
        self.history = history
        self.decisions.append(decision)

    @property
    def suppressed(self) -> frozenset[tuple[Scope, str, Cause]]:
        """(scope, scope value, cause) of the suppressions so far."""
        return self.history.suppressed

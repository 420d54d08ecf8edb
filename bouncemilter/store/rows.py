"""Rows to model objects and back. No SQL here."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Final

import sqlalchemy as sa

from bouncemilter.model import (
    Action,
    Category,
    Cause,
    Decision,
    Defect,
    Effect,
    Event,
    Front,
    Incident,
    IncidentDecision,
    IncidentKind,
    Kind,
    Mark,
    Phase,
    Returned,
    Scope,
    Sentence,
    Suppression,
    Trust,
)

_EVENT: Final = (
    "id at front kind envelope_recipient envelope_sender trust trust_reason address_key address reported_address "
    "forwarded action status reply_code phase category rule template diagnostic remote_host closed_for_good "
    "already_suppressed message_key sender_domain format report_message_id excerpt left_company new_address "
    "dns_confirmed rule_version"
).split()
"""Fields of Event that are columns of the same name."""
_RETURNED: Final = "message_id sender to subject list_id campaign return_path".split()
_event_values = attrgetter(*_EVENT)
_returned_values = attrgetter(*_RETURNED)
_returned_names: Final = [f"returned_{name}" for name in _RETURNED]
_SUPPRESSION: Final = (
    "id address_key address scope scope_value cause created_at expires_at created_by note category rule template "
    "diagnostic trust message_key event_id reason ended_at ended_by pending incident times batch rule_version"
).split()


class Operation(StrEnum):
    """What happened to a suppression."""

    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the change log, with its suppression as it is now."""

    seq: int
    """Grows with each change; never used twice."""
    at: dt.datetime
    operation: Operation
    by: str
    """`policy`, `expiry`, or the operator's login name."""
    note: str
    suppression: Suppression


@dataclass(frozen=True, slots=True)
class ChangedKey:
    """An address of the change log, and how it stands now."""

    seq: int
    address_key: str
    suppressed: bool
    """Whether any suppression of it is in force."""
    everywhere: bool
    """Whether one of them is global."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it was recorded, and what policy made of it then."""

    event: Event
    decision: Decision
    excused: bool = False
    """Kept, but counted no more."""
    incident: int | None = None
    """The incident that it belongs to."""


@dataclass(frozen=True, slots=True)
class DailyCount:
    """How many on one UTC day."""

    day: dt.date
    front: Front
    kind: Kind
    category: Category | None
    trust: Trust | None
    overflow: bool
    """Counted only, since the caps on unauthenticated mail were passed: there are no events for these."""
    n: int


@dataclass(frozen=True, slots=True)
class Watched:
    """An address with marks that is not suppressed."""

    address_key: str
    address: str
    watched: str
    """`2/4`: as the policy said at its last counted event."""
    at: dt.datetime
    """Of its last counted event."""
    category: Category | None


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A template that only a fallback rule decided."""

    template: str
    rule: str
    """`fallback.*`: the code that decided."""
    n: int
    """Events."""
    last: dt.datetime
    diagnostic: str
    """One server's own words."""


def event_row(event: Event, decision: Decision) -> dict[str, object]:
    """The row of `events` for a new event, without what few have: each column costs time."""
    row: dict[str, object] = dict(zip(_EVENT, _event_values(event), strict=True))
    row.update(zip(_returned_names, _returned_values(event.returned), strict=True))
    sentence = decision.sentence
    row.update(
        defects=" ".join(event.defects),
        unmatched=event.rule.startswith("fallback."),
        effect=decision.effect,
        reason=decision.reason,
        counted=decision.counts,
        watched=decision.watched,
        sentence_scope=sentence.scope if sentence else None,
        sentence_scope_value=sentence.scope_value if sentence else None,
        sentence_cause=sentence.cause if sentence else None,
        sentence_expires_at=sentence.expires_at if sentence else None,
    )
    return row


def stored_event(row: sa.RowMapping) -> StoredEvent:
    """From a whole row of `events`."""
    values = {name: row[name] for name in _EVENT}
    values.update(
        front=Front(row["front"]),
        kind=Kind(row["kind"]),
        trust=Trust(row["trust"]),
        action=Action(row["action"]) if row["action"] else None,
        phase=Phase(row["phase"]),
        category=category(row["category"]),
        returned=Returned(*(row[name] for name in _returned_names)),
        defects=tuple(Defect(word) for word in row["defects"].split()),
    )
    return StoredEvent(Event(**values), decision(row), row["excused"], row["incident"])


def decision(row: sa.RowMapping) -> Decision:
    """From the decision columns of a row of `events`."""
    sentence = None
    if row["sentence_cause"]:
        sentence = Sentence(
            Scope(row["sentence_scope"]),
            row["sentence_scope_value"],
            Cause(row["sentence_cause"]),
            row["sentence_expires_at"],
            row["sentence_times"],
        )
    return Decision(Effect(row["effect"]), row["reason"], row["counted"], row["watched"], sentence)


def mark(row: sa.RowMapping) -> Mark:
    """From a row of `events` that is counted."""
    return Mark(
        row["at"],
        row["message_key"],
        category(row["category"]),
        Trust(row["trust"]),
        forwarded=row["forwarded"],
        kind=Kind(row["kind"]),
        sender_domain=row["sender_domain"],
    )


def suppression_row(event: Event, decision: Decision, sentence: Sentence, now: dt.datetime) -> dict[str, object]:
    """The row of `suppressions` that policy orders because of `event`, with its evidence for life."""
    return {
        "address_key": event.address_key,
        "address": event.address,
        "scope": sentence.scope,
        "scope_value": sentence.scope_value,
        "cause": sentence.cause,
        "created_at": now,
        "expires_at": sentence.expires_at,
        "created_by": "policy",
        "category": event.category,
        "rule": event.rule,
        "rule_version": event.rule_version,
        "template": event.template,
        "diagnostic": event.diagnostic,
        "trust": event.trust,
        "message_key": event.message_key,
        "event_id": event.id,
        "reason": decision.reason,
        "ended_at": None,
        "ended_by": "",
        "pending": False,
        "incident": None,
        "times": sentence.times,
        "cluster": None,
        "template_cluster": None,
        "minute": None,
        "mailed": "",
    }


def suppression(row: sa.RowMapping) -> Suppression:
    """From a row that holds the columns of `suppressions`."""
    values = {name: row[name] for name in _SUPPRESSION}
    values.update(
        scope=Scope(row["scope"]),
        cause=Cause(row["cause"]),
        category=category(row["category"]),
        trust=Trust(row["trust"]) if row["trust"] else None,
    )
    return Suppression(**values)


def incident(row: sa.RowMapping) -> Incident:
    """From a row of `incidents`, with its counts where it has them."""
    return Incident(
        id=row["id"],
        kind=IncidentKind(row["kind"]),
        domain=row["domain"],
        category=category(row["category"]),
        template=row["template"],
        reason=row["reason"],
        since=row["since"],
        opened_at=row["opened_at"],
        last_at=row["last_at"],
        over_at=row["over_at"],
        outcome=IncidentDecision(row["outcome"]) if row["outcome"] else None,
        decided_at=row["decided_at"],
        decided_by=row["decided_by"],
        note=row["note"],
        events=row.get("events", 0),
        pending=row.get("pending", 0),
        suppressed=row.get("suppressed", 0),
    )


def category(text: str | None) -> Category | None:
    """From a column that may be NULL or empty."""
    return Category(text) if text else None

"""What is kept of it: events, what policy decides about them, and suppressions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from bouncemilter.model.report import Returned
from bouncemilter.model.vocabulary import Action, Category, Cause, Class, Defect, Front, Kind, Phase, Scope, Trust


@dataclass(frozen=True, slots=True)
class Mark:
    """One counted failure in an address's history."""

    at: dt.datetime
    message_key: str
    category: Category | None
    """None for a complaint."""
    trust: Trust
    forwarded: bool = False
    kind: Kind = Kind.BOUNCE
    """`bounce` or `complaint`: nothing else is counted."""
    sender_domain: str = ""
    """As of its event: whose mail was blocked or complained of."""

    @classmethod
    def of(cls, event: Event) -> Mark:
        """The mark that a counted event leaves."""
        return cls(
            event.at,
            event.message_key,
            event.category,
            event.trust,
            forwarded=event.forwarded,
            kind=event.kind,
            sender_domain=event.sender_domain,
        )

    @property
    def class_(self) -> Class | None:
        """Whose problem it was; None for a complaint."""
        return self.category.class_ if self.category else None


@dataclass(frozen=True, slots=True)
class Probation:
    """A soft suppression that has expired: whether the mailbox is well again, the next message shows."""

    since: dt.datetime
    """When it expired."""
    times: int
    """How often the address was suppressed by now, one after the other."""


@dataclass(frozen=True, slots=True)
class History:
    """What the store knows of one address when a new event about it is judged."""

    marks: tuple[Mark, ...] = ()
    """Counted failures, oldest first, at least those of the policy's window."""
    last_success: dt.datetime | None = None
    """The newest success (delivered report, receipt, auto-reply) of a tier that may count."""
    suppressed: frozenset[tuple[Scope, str, Cause]] = field(default_factory=frozenset)
    """(scope, scope value, cause) of its suppressions in force."""
    pending: frozenset[tuple[Scope, str, Cause]] = field(default_factory=frozenset)
    """The same of those that an incident holds back: the next message decides."""
    probation: Probation | None = None
    """Where its last soft suppression has expired."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing learnt about one address from one message: a row of the store."""

    id: str
    """Hexadecimal: BLAKE2b of envelope recipient, report and failed recipient."""
    at: dt.datetime
    """When it counts from, UTC."""
    front: Front
    kind: Kind
    envelope_recipient: str
    envelope_sender: str
    trust: Trust
    trust_reason: str
    """A constant word for the evidence: `token`, `own_mta`, `verp`, `own_headers`, `no_evidence`, …"""
    address_key: str
    """The canonical address that it is about (address.key), or empty where nobody is named."""
    address: str
    """The same address as it was written."""
    reported_address: str = ""
    """The address that the report fails, where it is another (forwarding); recorded, never followed."""
    forwarded: bool = False
    action: Action | None = None
    status: str = ""
    reply_code: str = ""
    phase: Phase = Phase.UNKNOWN
    category: Category | None = None
    rule: str = ""
    template: str = ""
    diagnostic: str = ""
    remote_host: str = ""
    closed_for_good: bool = False
    already_suppressed: bool = False
    message_key: str = ""
    """Which original message it is about: `token:…`, `envid:…`, `mid:…`, `dkim:…` or `day:…`; counts are by it."""
    returned: Returned = field(default_factory=Returned)
    sender_domain: str = ""
    """The domain of ours (A-label) that sent the original message, where known: the value of the scope `sender`."""
    format: str = ""
    report_message_id: str = ""
    excerpt: str = ""
    left_company: bool = False
    new_address: str = ""
    defects: tuple[Defect, ...] = ()
    dns_confirmed: bool = False
    """Our own DNS says as well that the domain does not exist."""
    rule_version: str = ""
    """Of program and rules: `0.1.0+1a2b3c4d`; empty where no rule decided."""

    @property
    def class_(self) -> Class | None:
        """Whose problem it is, for failures and delays."""
        return self.category.class_ if self.category else None


class Effect(StrEnum):
    """What policy makes of one event."""

    RECORDED = "recorded"
    """Kept, not counted."""
    COUNTED = "counted"
    """Counted; the address is watched."""
    SUPPRESSED = "suppressed"
    """Counted, and the address is suppressed by it."""
    PENDING = "pending"
    """Counted, and it would suppress; an incident holds that back until the address's next message."""
    SUCCESS = "success"
    """A sign of life: soft counts start anew."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A suppression that policy orders."""

    scope: Scope
    scope_value: str
    cause: Cause
    expires_at: dt.datetime | None
    """UTC; None never expires."""
    times: int = 1
    """So many soft suppressions make this one, each of them on probation from the one before."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What policy decided about one event, and why."""

    effect: Effect
    reason: str
    """One English line for people: `soft, message 2 of 4 within 32 days`."""
    counts: bool = False
    """Whether the event becomes a Mark of its address's history."""
    watched: str = ""
    """`2/4` while an address is watched, else empty."""
    sentence: Sentence | None = None
    """Set with Effect.SUPPRESSED and PENDING; in the preset `observe` with COUNTED: what would have been done."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """A row of the suppression list, with its own evidence for life."""

    id: int
    address_key: str
    address: str
    scope: Scope
    scope_value: str
    cause: Cause
    created_at: dt.datetime
    expires_at: dt.datetime | None
    created_by: str
    """`policy`, or the operator's login name."""
    note: str = ""
    category: Category | None = None
    rule: str = ""
    template: str = ""
    diagnostic: str = ""
    trust: Trust | None = None
    message_key: str = ""
    event_id: str = ""
    reason: str = ""
    ended_at: dt.datetime | None = None
    """When it was removed; None while it is in force (or past `expires_at`, or pending)."""
    ended_by: str = ""
    pending: bool = False
    """Held back by an incident: refuses nothing until the address's next message decides."""
    incident: int | None = None
    """The incident that it belongs to."""
    times: int = 1
    """So many soft suppressions it makes, each of them on probation from the one before."""
    batch: str = ""
    """The import that made it."""
    rule_version: str = ""
    """As in Event."""

    def in_force(self, now: dt.datetime) -> bool:
        """Whether it refuses mail at `now` (UTC)."""
        return not self.pending and self.ended_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one address when mail is to leave for it."""

    suppressions: tuple[Suppression, ...] = ()
    """Those in force, in all scopes, oldest first."""
    unconfirmed: bool = False
    """The store can't be asked just now; what is held in memory says that it is suppressed for all mail."""
    unknown: bool = False
    """Neither the store nor what is held in memory can say anything."""

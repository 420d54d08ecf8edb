"""The nouns of bouncemilter: what a returned message is, what was found in it, and what is done with it.

Every name here stands in the database, in metrics labels, in rule files and in the JSON of
`bouncemilter classify --json`; changing one is a breaking change. A leaf: standard library only, no I/O.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a message is."""

    BOUNCE = "bounce"
    """A delivery failed, for at least one recipient (RFC 3464 `Action: failed`)."""
    DELAYED = "delayed"
    """Delivery is still being tried (RFC 3464 `Action: delayed`)."""
    DELIVERED = "delivered"
    """A success report (RFC 3464 `delivered`, `relayed`, `expanded`)."""
    AUTO_REPLY = "auto_reply"
    """Vacation, out of office, "we got your ticket" (RFC 3834, and the many that ignore it)."""
    UNSUBSCRIBE = "unsubscribe"
    """A person, or a List-Unsubscribe mailto, asks to be taken off (RFC 2369)."""
    COMPLAINT = "complaint"
    """A feedback-loop report (ARF, RFC 5965; also the non-standard ones)."""
    CHALLENGE = "challenge"
    """A challenge-response system asks to confirm."""
    RECEIPT = "receipt"
    """A message disposition notification (RFC 8098)."""
    REPORT = "report"
    """DMARC aggregate, TLS report and other machine reports."""
    MAIL = "mail"
    """Anything that a person wrote, and anything that can't be told."""


class Class(StrEnum):
    """Whose problem a failure is: hard and soft are the recipient's, block is the sender's."""

    HARD = "hard"
    SOFT = "soft"
    BLOCK = "block"


class Category(StrEnum):
    """Why a delivery failed, one for each failed recipient."""

    USER_UNKNOWN = "user_unknown"
    DOMAIN_NOT_FOUND = "domain_not_found"
    DOMAIN_NO_MAIL = "domain_no_mail"
    ADDRESS_SYNTAX = "address_syntax"
    MAILBOX_DISABLED = "mailbox_disabled"
    MAILBOX_OWNER_CHANGED = "mailbox_owner_changed"
    BLOCKED_BY_RECIPIENT = "blocked_by_recipient"
    HARD_OTHER = "hard_other"
    MAILBOX_FULL = "mailbox_full"
    HOST_NOT_RESPONDING = "host_not_responding"
    DELIVERY_TIMEOUT = "delivery_timeout"
    MAIL_LOOP = "mail_loop"
    ROUTING_ERROR = "routing_error"
    REMOTE_SYSTEM_ERROR = "remote_system_error"
    GREYLISTED = "greylisted"
    SOFT_OTHER = "soft_other"
    MESSAGE_TOO_BIG = "message_too_big"
    CONTENT_BLOCKED = "content_blocked"
    ATTACHMENT_OR_VIRUS = "attachment_or_virus"
    BLOCKLISTED = "blocklisted"
    BLOCKED_BY_PROVIDER = "blocked_by_provider"
    SENDER_REPUTATION = "sender_reputation"
    RATE_LIMITED = "rate_limited"
    DMARC_FAILED = "dmarc_failed"
    SENDER_AUTH_FAILED = "sender_auth_failed"
    MISSING_PTR = "missing_ptr"
    RELAY_DENIED = "relay_denied"
    SENDER_REJECTED = "sender_rejected"
    TLS_REQUIRED = "tls_required"
    POLICY_OTHER = "policy_other"
    PROTOCOL_ERROR = "protocol_error"
    EAI_UNSUPPORTED = "eai_unsupported"

    @property
    def class_(self) -> Class:
        """Whose problem this category is."""
        return CLASS_OF[self]


_HARD = (
    Category.USER_UNKNOWN,
    Category.DOMAIN_NOT_FOUND,
    Category.DOMAIN_NO_MAIL,
    Category.ADDRESS_SYNTAX,
    Category.MAILBOX_DISABLED,
    Category.MAILBOX_OWNER_CHANGED,
    Category.BLOCKED_BY_RECIPIENT,
    Category.HARD_OTHER,
)
_SOFT = (
    Category.MAILBOX_FULL,
    Category.HOST_NOT_RESPONDING,
    Category.DELIVERY_TIMEOUT,
    Category.MAIL_LOOP,
    Category.ROUTING_ERROR,
    Category.REMOTE_SYSTEM_ERROR,
    Category.GREYLISTED,
    Category.SOFT_OTHER,
)
CLASS_OF: Mapping[Category, Class] = {
    category: Class.HARD if category in _HARD else Class.SOFT if category in _SOFT else Class.BLOCK
    for category in Category
}


class Action(StrEnum):
    """What the reporting MTA did for one recipient (RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class Phase(StrEnum):
    """What the refusing server was answering when it refused (RFC 5321 section 3)."""

    CONNECT = "connect"
    EHLO = "ehlo"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    """The answer to DATA, or to the end of the data."""
    UNKNOWN = "unknown"


class Defect(StrEnum):
    """What was wrong with a message that was read all the same."""

    UNPARSEABLE = "unparseable"
    """The reader gave up; the kind is `mail`."""
    TRUNCATED = "truncated"
    """Longer than the kept bytes, or cut on its way."""
    LIMIT_HEADER = "limit_header"
    LIMIT_LINE = "limit_line"
    LIMIT_DEPTH = "limit_depth"
    LIMIT_PARTS = "limit_parts"
    LIMIT_RECIPIENTS = "limit_recipients"
    LIMIT_DIAGNOSTIC = "limit_diagnostic"
    LIMIT_ADDRESS = "limit_address"
    LIMIT_TIME = "limit_time"
    """Its time was over (limits.PARSE_SECONDS): what was read until then is told."""
    NO_BOUNDARY = "no_boundary"
    """A multipart without a usable boundary, or whose boundary never comes."""
    UNCLOSED_MULTIPART = "unclosed_multipart"
    BAD_ENCODING = "bad_encoding"
    """A broken or unknown Content-Transfer-Encoding."""
    BAD_CHARSET = "bad_charset"
    """A charset outside the allow-list; read as latin-1."""
    BAD_STATUS = "bad_status"
    """Action, status and diagnostic contradict each other."""
    NO_RECIPIENT = "no_recipient"
    """A report that names nobody."""


class Trust(StrEnum):
    """Who may cause a suppression: the evidence that a report is about mail of ours."""

    TOKEN = "token"  # noqa: S105  (a tier's name, not a secret)
    LOCAL = "local"
    PLAUSIBLE = "plausible"
    NONE = "none"

    def at_least(self, tier: Trust) -> bool:
        """Whether this tier is as strong as `tier` or stronger."""
        order = list(Trust)
        return order.index(self) <= order.index(tier)


class Front(StrEnum):
    """The way by which a message came in."""

    SINK = "sink"
    MILTER = "milter"
    MAILBOX = "mailbox"


class Source(StrEnum):
    """Where the message entered our own MTA (Postfix's XFORWARD SOURCE, or the milter's path)."""

    LOCAL = "local"
    """Made on this host: the MTA's own report, or a program that calls sendmail."""
    REMOTE = "remote"
    UNKNOWN = "unknown"


class Disposition(StrEnum):
    """What is done with a message for one envelope recipient. Returned mail is never rejected."""

    DISCARD = "discard"
    """Consumed: its rows are on disk."""
    PASS = "pass"  # noqa: S105  (a disposition's name, not a secret)
    """Handed on unchanged but for our header."""
    TEMPFAIL = "tempfail"
    """Nothing is on disk: the MTA keeps it and comes back."""


class Scope(StrEnum):
    """How far a suppression reaches."""

    GLOBAL = "global"
    SENDER = "sender"
    """The From domain in `scope_value`."""
    LIST = "list"
    """The List-ID in `scope_value`."""


class Cause(StrEnum):
    """Why an address is suppressed."""

    HARD = "hard"
    SOFT = "soft"
    BLOCKED_BY_RECIPIENT = "blocked_by_recipient"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """One recipient block of a report (RFC 3464 section 2.3), or its free-form equivalent.

    All texts are cleaned (text.clean) and within limits.py.
    """

    address: str
    """The mailbox that failed, as the report says it: Original-Recipient where whole, else Final-Recipient."""
    action: Action | None = None
    """None in reports that have no action (complaints, requests to be taken off)."""
    status: str = ""
    """The enhanced status code (RFC 3463), `5.1.1`, or empty."""
    reply_code: str = ""
    """The SMTP reply code (RFC 5321 section 4.2), `550`, or empty."""
    phase: Phase = Phase.UNKNOWN
    diagnostic: str = ""
    """The remote server's words (RFC 3464 section 2.3.6), or the error line of a free-form report."""
    remote_host: str = ""
    """The host that answered (Remote-MTA, RFC 3464 section 2.3.5)."""
    original_address: str = ""
    """Original-Recipient (RFC 3464 section 2.3.1), where the report has one."""
    final_address: str = ""
    """Final-Recipient (RFC 3464 section 2.3.2), where the report has one."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The headers of the returned message that matter. Empty strings where absent."""

    message_id: str = ""
    """With its angle brackets."""
    sender: str = ""
    """The address in From."""
    to: str = ""
    """The first address in To."""
    subject: str = ""
    list_id: str = ""
    """List-ID without angle brackets (RFC 2919)."""
    campaign: str = ""
    """X-Campaign-ID, Feedback-ID and the like."""
    return_path: str = ""
    """The address in the returned Return-Path header."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one message says, as read. Opinions are added later by classify/."""

    kind: Kind
    recipients: tuple[ReportedRecipient, ...] = ()
    format: str = ""
    """The reader that understood it: `dsn`, `arf`, `freeform.qmail`, … ; empty for `mail`."""
    sender: str = ""
    """The address in From of the message itself: who answered, complained or asks to be taken off."""
    message_id: str = ""
    """The report's own Message-ID with its angle brackets, empty where absent or malformed."""
    envelope_id: str = ""
    """Original-Envelope-Id (RFC 3464 section 2.2.1)."""
    reporting_mta: str = ""
    """Reporting-MTA (RFC 3464 section 2.2.2), without its type."""
    top_received: str = ""
    """The topmost Received header, unfolded."""
    returned: Returned | None = None
    excerpt: str = ""
    """A cleaned piece of the text for people: the comment of an auto-reply, the words of a request."""
    left_company: bool = False
    """An auto-reply that says that its owner works there no more."""
    new_address: str = ""
    """The address that a `left_company` reply suggests; never followed, only shown."""
    written_by_person: bool = False
    """A request to be taken off that a person wrote (it is passed on too)."""
    known_by_words: bool = False
    """Only words show what it is: no header and no MIME type that people's mail programs never make. A person may have
    written the like, so it is passed on too unless its envelope sender is null."""
    defects: tuple[Defect, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one failure means, and which rule says so."""

    category: Category
    rule: str
    """`microsoft.access_denied_541`; `fallback.*` where no rule matched (kept for review)."""
    template: str = ""
    """The normalised diagnostic: addresses, hosts, numbers and ids taken out."""
    closed_for_good: bool = False
    """The text says that the mailbox will not come back (`mailbox_disabled` at once)."""
    already_suppressed: bool = False
    """A relay's own suppression list refused it: nothing new was learnt about the mailbox."""
    retry_after: int | None = None
    """Seconds after which the server asked to be tried again; None where it did not say."""

    @property
    def class_(self) -> Class:
        """Whose problem it is."""
        return self.category.class_


@dataclass(frozen=True, slots=True)
class RecipientVerdict:
    """One reported recipient, and what its failure means (None where nothing failed or was delayed)."""

    recipient: ReportedRecipient
    ruling: Ruling | None = None

    def to_dict(self) -> dict[str, object]:
        """This recipient as in the contract of `classify --json`."""
        recipient, ruling = self.recipient, self.ruling
        found: dict[str, object] = {
            "address": recipient.address,
            "action": recipient.action,
            "status": recipient.status,
            "reply_code": recipient.reply_code,
            "category": ruling.category if ruling else None,
            "class": ruling.class_ if ruling else None,
            "diagnostic": recipient.diagnostic,
            "rule": ruling.rule if ruling else None,
            "phase": recipient.phase,
            "template": ruling.template if ruling else "",
            "remote_host": recipient.remote_host,
            "original_address": recipient.original_address,
            "final_address": recipient.final_address,
        }
        if ruling and ruling.already_suppressed:
            found["already_suppressed"] = True
        if ruling and ruling.closed_for_good:
            found["closed_for_good"] = True
        if ruling and ruling.retry_after is not None:
            found["retry_after"] = ruling.retry_after
        return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one message is, and for each recipient why."""

    report: Report
    recipients: tuple[RecipientVerdict, ...] = ()

    @property
    def kind(self) -> Kind:
        """What the message is."""
        return self.report.kind

    def to_dict(self) -> dict[str, object]:
        """The object of `classify --json`, without `source`."""
        found: dict[str, object] = {
            "kind": self.kind,
            "recipients": [each.to_dict() for each in self.recipients],
            "defects": list(self.report.defects),
            "format": self.report.format,
        }
        if self.kind is Kind.AUTO_REPLY:
            found["left_company"] = self.report.left_company
            if self.report.new_address:
                found["new_address"] = self.report.new_address
        return found


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a message came to us. Addresses without angle brackets; the null sender is an empty string."""

    front: Front
    sender: str
    recipients: tuple[str, ...]
    """Those envelope recipients that are ours, as they were written."""
    received_at: dt.datetime
    """Our own receipt, UTC; header dates are advisory only."""
    source: Source = Source.UNKNOWN
    client: str = ""
    """The address of the SMTP client that brought it to our MTA, where known."""


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
class History:
    """What the store knows of one address when a new event about it is judged."""

    marks: tuple[Mark, ...] = ()
    """Counted failures, oldest first, at least those of the policy's window."""
    last_success: dt.datetime | None = None
    """The newest success (delivered report, receipt, auto-reply) of a tier that may count."""
    suppressed: frozenset[tuple[Scope, str, Cause]] = field(default_factory=frozenset)
    """(scope, scope value, cause) of its suppressions in force."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing learnt about one address from one message: a row of the store."""

    id: str
    """Hex of the event id (DESIGN: BLAKE2b of envelope recipient, report and failed recipient)."""
    at: dt.datetime
    """When it counts from, UTC."""
    front: Front
    kind: Kind
    envelope_recipient: str
    envelope_sender: str
    trust: Trust
    trust_reason: str
    """A constant word for the evidence: `verp`, `own_from`, `xforward_local`, …"""
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
    """Which original message it is about: `envid:…`, `mid:…` or `day:…`; counts are by it."""
    returned: Returned = field(default_factory=Returned)
    sender_domain: str = ""
    """The domain of ours (A-label) that sent the original message, where known: the value of the scope `sender`."""
    format: str = ""
    report_message_id: str = ""
    excerpt: str = ""
    left_company: bool = False
    new_address: str = ""
    defects: tuple[Defect, ...] = ()

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
    """Set with Effect.SUPPRESSED; in the preset `observe` set with Effect.COUNTED: what would have been done."""


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
    """When it was removed; None while it is in force (or past `expires_at`)."""
    ended_by: str = ""

    def in_force(self, now: dt.datetime) -> bool:
        """Whether it refuses mail at `now` (UTC)."""
        return self.ended_at is None and (self.expires_at is None or now < self.expires_at)

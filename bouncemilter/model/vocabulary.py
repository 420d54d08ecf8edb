"""The closed vocabularies: kinds, categories, actions, trust and the rest."""

from __future__ import annotations

from collections.abc import Mapping
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

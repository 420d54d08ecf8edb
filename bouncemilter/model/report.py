"""What one message says, and what it means: a Report, and the Verdict on it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from bouncemilter.model.vocabulary import Action, Category, Class, Defect, Front, Kind, Phase, Source


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
    """The address in the returned Return-Path header, or in a complaint's Original-Mail-From (RFC 5965 section 3.2)."""
    signed_headers: bytes = field(default=b"", repr=False)
    """The whole header block with `\\n` line ends, only where it has a DKIM-Signature. Evidence for the moment: in no
    output, and not stored."""


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


_REACHED: Final = (Action.DELIVERED, Action.RELAYED, Action.EXPANDED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one message is, and for each recipient why."""

    report: Report
    recipients: tuple[RecipientVerdict, ...] = ()

    @property
    def kind(self) -> Kind:
        """What the message is."""
        return self.report.kind

    @property
    def concerned(self) -> tuple[RecipientVerdict, ...]:
        """Whom the message is about: a bounce is not about those whom the mail has reached."""
        if self.kind is not Kind.BOUNCE:
            return self.recipients
        return tuple(each for each in self.recipients if each.recipient.action not in _REACHED)

    def to_dict(self) -> dict[str, object]:
        """The object of `classify --json`, without `source`."""
        found: dict[str, object] = {
            "kind": self.kind,
            "recipients": [each.to_dict() for each in self.concerned],
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
    """Our own receipt, UTC; header dates are advisory only. Of a mailbox's message the mailbox's own date."""
    source: Source = Source.UNKNOWN
    client: str = ""
    """The address of the SMTP client that brought it to our MTA, where known."""
    read_at: dt.datetime | None = None
    """When it was read, UTC, where that may be long after its receipt: in a mailbox."""
    dated_by_itself: bool = False
    """`received_at` is what the message says of itself, which makes no expired evidence valid."""

    @property
    def proved_at(self) -> dt.datetime:
        """When evidence in the message has to be valid."""
        return self.read_at if self.dated_by_itself and self.read_at else self.received_at

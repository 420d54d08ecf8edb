"""From a verdict to events: whom each failure is about, and what names the event and the original message."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from bouncemilter import address, domain, trust
from bouncemilter.model import (
    Action,
    Envelope,
    Event,
    Kind,
    RecipientVerdict,
    ReportedRecipient,
    Returned,
    Trust,
    Verdict,
)
from bouncemilter.returnpath import Recognizer

_KIND_OF_ACTION = {
    Action.FAILED: Kind.BOUNCE,
    Action.DELAYED: Kind.DELAYED,
    Action.DELIVERED: Kind.DELIVERED,
    Action.RELAYED: Kind.DELIVERED,
    Action.EXPANDED: Kind.DELIVERED,
}
# These are about whoever wrote them; a report is about whom it names.
_FROM_THE_ADDRESSEE = (Kind.AUTO_REPLY, Kind.RECEIPT, Kind.CHALLENGE, Kind.UNSUBSCRIBE)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom one event is about."""

    address: str
    """Our own record of whom we wrote to, where there is one; else as the report says."""
    reported: str = ""
    """The address that the report fails, where it is another one."""
    forwarded: bool = False
    """The report fails an address of another registrable domain: a forwarder's."""


class Arrival(NamedTuple):
    """One message at one envelope recipient, judged."""

    envelope: Envelope
    recipient: str
    verdict: Verdict
    assessment: trust.Assessment
    digest: bytes


@dataclass(frozen=True, slots=True)
class Attribution:
    """Makes events of verdicts, with the site's names and rules of address keys."""

    recognizer: Recognizer
    evidence: trust.Evidence
    fold_local_part: bool = True

    def events(self, envelope: Envelope, recipient: str, verdict: Verdict, digest: bytes) -> tuple[Event, ...]:
        """The events of one message for one envelope recipient, at least one; `digest` is the report's fingerprint."""
        verp = self.recognizer.verp_recipient(recipient)
        assessment = trust.assess(envelope, verdict.report, verp, self.evidence)
        arrival = Arrival(envelope, recipient, verdict, assessment, digest)
        return tuple(self._event(arrival, each, subject) for each, subject in self._subjects(verdict, verp))

    def _subjects(self, verdict: Verdict, verp: str) -> Iterable[tuple[RecipientVerdict, Subject]]:
        report = verdict.report
        if verdict.kind in _FROM_THE_ADDRESSEE:
            writer = next((each.recipient.address for each in verdict.recipients), "") or report.sender
            nobody = RecipientVerdict(ReportedRecipient(""))
            yield nobody, Subject(verp or writer, writer if verp and not self._same(verp, writer) else "")
            # Who asks to be taken off must be taken off under the address that wrote, too.
            if verdict.kind is Kind.UNSUBSCRIBE and verp and writer and not self._same(verp, writer):
                yield nobody, Subject(writer)
            return
        # Beside the one we wrote to a report may fail strangers: theirs is not his failure.
        his = tuple(each for each in verdict.recipients if verp and self._names(each.recipient, verp))
        for each in his or verdict.recipients or (RecipientVerdict(ReportedRecipient("")),):
            yield each, self._subject(each.recipient, verp)

    def _subject(self, reported: ReportedRecipient, verp: str) -> Subject:
        """Whom a failure is about: our own record of whom we wrote to is never overruled by the report."""
        names = [name for name in _said(reported) if self._key(name)]  # a bare local part, or words, name nobody else
        if not verp:
            return Subject(names[0] if names else "")
        if not names or self._names(reported, verp):
            return Subject(verp)
        other = reported.address if reported.address in names else names[0]
        forwarded = domain.registrable(other.rpartition("@")[2]) != domain.registrable(verp.rpartition("@")[2])
        return Subject(verp, other, forwarded=forwarded)

    def _names(self, reported: ReportedRecipient, verp: str) -> bool:
        return any(self._same(verp, name) for name in _said(reported))

    def _same(self, one: str, other: str) -> bool:
        return self._key(one) == self._key(other) != ""

    def _key(self, text: str) -> str:
        return address.key(text, fold_local_part=self.fold_local_part)

    def _event(self, arrival: Arrival, each: RecipientVerdict, subject: Subject) -> Event:
        envelope, verdict, assessment = arrival.envelope, arrival.verdict, arrival.assessment
        report, reported, ruling = verdict.report, each.recipient, each.ruling
        returned = report.returned or Returned()
        key = self._key(subject.address)
        return Event(
            id=_event_id(address.key(arrival.recipient), arrival.digest, self._key(reported.address) or key),
            at=envelope.received_at,
            front=envelope.front,
            kind=_KIND_OF_ACTION.get(reported.action, verdict.kind) if reported.action else verdict.kind,
            envelope_recipient=arrival.recipient,
            envelope_sender=envelope.sender,
            trust=assessment.trust,
            trust_reason=assessment.reason,
            address_key=key,
            address=subject.address if key else "",
            reported_address=subject.reported,
            forwarded=subject.forwarded,
            action=reported.action,
            status=reported.status,
            reply_code=reported.reply_code,
            phase=reported.phase,
            category=ruling.category if ruling else None,
            rule=ruling.rule if ruling else "",
            template=ruling.template if ruling else "",
            diagnostic=reported.diagnostic,
            remote_host=reported.remote_host,
            closed_for_good=bool(ruling and ruling.closed_for_good),
            already_suppressed=bool(ruling and ruling.already_suppressed),
            message_key=_message_key(report.envelope_id, returned, key, envelope),
            returned=returned,
            sender_domain=self._sender_domain(arrival.recipient, returned),
            format=report.format,
            report_message_id=report.message_id,
            excerpt=report.excerpt,
            left_company=report.left_company,
            new_address=report.new_address,
            defects=report.defects,
        )

    def _sender_domain(self, recipient: str, returned: Returned) -> str:
        """The domain of ours that sent the original message: its From where that is ours, else by the return path."""
        sender = address.domain_key(returned.sender.rpartition("@")[2])
        return sender if self.evidence.owns(sender) else self.recognizer.sender_domain(recipient)


def _said(reported: ReportedRecipient) -> tuple[str, ...]:
    return reported.original_address, reported.address, reported.final_address


def _event_id(recipient_key: str, digest: bytes, failed_key: str) -> str:
    """The name of an event: the same for the same report by whatever way and however often it comes."""
    name = b"\0".join((recipient_key.encode("utf-8", "replace"), digest, failed_key.encode("utf-8", "replace")))
    return hashlib.blake2b(name, digest_size=16).hexdigest()


def _message_key(envelope_id: str, returned: Returned, address_key: str, envelope: Envelope) -> str:
    """Which original message an event is about: the first that exists of ENVID, Message-ID, and the UTC day."""
    if envelope_id:
        return f"envid:{envelope_id}"
    if returned.message_id:
        return f"mid:{returned.message_id}"
    return f"day:{address_key}:{envelope.received_at:%Y-%m-%d}"


def is_untrusted(events: Iterable[Event]) -> bool:
    """Whether none of the events can be tied to mail of ours."""
    return all(event.trust is Trust.NONE for event in events)

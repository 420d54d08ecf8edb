"""From a verdict to events: whom each failure is about, and what names the event and the original message."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable
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
from bouncemilter.trust import Proof, Prover

_KIND_OF_ACTION = {
    Action.FAILED: Kind.BOUNCE,
    Action.DELAYED: Kind.DELAYED,
    Action.DELIVERED: Kind.DELIVERED,
    Action.RELAYED: Kind.DELIVERED,
    Action.EXPANDED: Kind.DELIVERED,
}
# These are about whoever wrote them; a report is about whom it names.
_NOBODY = RecipientVerdict(ReportedRecipient(""))
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
    stranger: bool = False
    """The message is ours, but was not sent to this address."""


class Arrival(NamedTuple):
    """One message at one envelope recipient, judged."""

    envelope: Envelope
    recipient: str
    verdict: Verdict
    proof: Proof
    recorded: Callable[[str], bool]
    """Whether the message of a message token was sent to an address."""
    digest: bytes


@dataclass(frozen=True, slots=True)
class Attribution:
    """Makes events of verdicts, with the site's names and rules of address keys."""

    prover: Prover
    evidence: trust.Evidence
    fold_local_part: bool = True
    keep_auto_reply_text: bool = True
    """Whether events of auto-replies hold an excerpt."""
    rule_version: str = ""
    """What events say of the rules that they were made by."""

    @property
    def recognizer(self) -> Recognizer:
        """Which envelope recipients are ours."""
        return self.prover.recognizer

    def proof(self, envelope: Envelope, recipient: str, verdict: Verdict) -> Proof:
        """What the return path of a message, one of its envelope recipients, says."""
        return self.prover.proof(envelope, recipient, verdict.report)

    def events(self, arrival: Arrival) -> tuple[Event, ...]:
        """The events of one message for one envelope recipient, at least one."""
        return tuple(self._event(arrival, each, subject) for each, subject in self._subjects(arrival))

    def _subjects(self, arrival: Arrival) -> Iterable[tuple[RecipientVerdict, Subject]]:
        verdict = arrival.verdict
        if verdict.kind in _FROM_THE_ADDRESSEE:
            yield from self._writer(arrival)
            return
        # Beside the one we wrote to a report may fail strangers: theirs is not his failure.
        his = tuple(each for each in verdict.recipients if self._wrote_to(arrival, _said(each.recipient)))
        for each in his or verdict.recipients or (_NOBODY,):
            yield each, self._subject(arrival, each.recipient)

    def _writer(self, arrival: Arrival) -> Iterable[tuple[RecipientVerdict, Subject]]:
        """Who answers a message is the one we wrote to, whatever the answer's From says."""
        verdict = arrival.verdict
        writer = next((each.recipient.address for each in verdict.recipients), "") or verdict.report.sender
        named = self._wrote_to(arrival, (writer,)) or arrival.proof.recipient
        if not named:
            yield _NOBODY, Subject(writer, stranger=arrival.proof.token is not None)
            return
        other = writer if not self._same(named, writer) else ""
        yield _NOBODY, Subject(named, other)
        # Who asks to be taken off must be taken off under the address that wrote, too.
        if verdict.kind is Kind.UNSUBSCRIBE and other:
            yield _NOBODY, Subject(writer)

    def _subject(self, arrival: Arrival, reported: ReportedRecipient) -> Subject:
        """Whom a failure is about: our own record of whom we wrote to is never overruled by the report."""
        names = [name for name in _said(reported) if self._key(name)]  # a bare local part, or words, name nobody else
        if found := self._wrote_to(arrival, names):
            return Subject(found)
        named = arrival.proof.recipient
        if not named:
            return Subject(names[0] if names else "", stranger=arrival.proof.token is not None)
        if not names:
            return Subject(named)
        other = reported.address if reported.address in names else names[0]
        forwarded = domain.registrable(other.rpartition("@")[2]) != domain.registrable(named.rpartition("@")[2])
        return Subject(named, other, forwarded=forwarded)

    def _wrote_to(self, arrival: Arrival, names: Iterable[str]) -> str:
        """The one of `names` that our own record says we wrote to, as that writes it; empty where it is none."""
        proof = arrival.proof
        for name in names:
            if proof.recipient and self._same(proof.recipient, name):
                return proof.recipient
            if proof.token and not proof.recipient and (proof.token.matches(name) or arrival.recorded(self._key(name))):
                return name
            if not proof.recipient and proof.vouches_for(self._key(name)):
                return name
        return ""

    def _same(self, one: str, other: str) -> bool:
        return self._key(one) == self._key(other) != ""

    def _key(self, text: str) -> str:
        return address.key(text, fold_local_part=self.fold_local_part)

    def _event(self, arrival: Arrival, each: RecipientVerdict, subject: Subject) -> Event:
        envelope, verdict = arrival.envelope, arrival.verdict
        report, reported, ruling = verdict.report, each.recipient, each.ruling
        returned = report.returned or Returned()
        if returned.signed_headers:
            returned = dataclasses.replace(returned, signed_headers=b"")
        key = self._key(subject.address)
        assessment = trust.assess(envelope, report, arrival.proof, self.evidence, key)
        if subject.stranger:
            assessment = trust.Assessment(Trust.NONE, "not_a_recipient")
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
            message_key=self._message_key(arrival, assessment, key),
            returned=returned,
            sender_domain=self._sender_domain(arrival.recipient, returned),
            format=report.format,
            report_message_id=report.message_id,
            excerpt=report.excerpt if self.keep_auto_reply_text or verdict.kind is not Kind.AUTO_REPLY else "",
            left_company=report.left_company,
            new_address=report.new_address,
            defects=report.defects,
            rule_version=self.rule_version if ruling else "",
        )

    @staticmethod
    def _message_key(arrival: Arrival, assessment: trust.Assessment, key: str) -> str:
        """Which original message an event is about: the first that exists of token, ENVID, Message-ID, and the UTC day.

        Where DKIM is the evidence, only what it signs: with an ENVID of his own a replay would be another message.
        """
        proof, report, at = arrival.proof, arrival.verdict.report, arrival.envelope.received_at
        if proof.token:
            return f"token:{proof.token.day:%Y-%m-%d}:{proof.token.nonce}"
        if proof.dkim and assessment.reason == trust.DKIM:
            return f"mid:{proof.dkim.message_id}" if proof.dkim.message_id else f"dkim:{proof.dkim.digest}"
        if report.envelope_id:
            return f"envid:{report.envelope_id}"
        if report.returned and report.returned.message_id:
            return f"mid:{report.returned.message_id}"
        return f"day:{key}:{at:%Y-%m-%d}"

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


def is_untrusted(events: Iterable[Event]) -> bool:
    """Whether none of the events can be tied to mail of ours."""
    return all(event.trust is Trust.NONE for event in events)

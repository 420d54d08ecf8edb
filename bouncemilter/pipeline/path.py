"""Reading, judging and committing one message."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog
from prometheus_client import Counter, Histogram

from bouncemilter import limits, policy, report
from bouncemilter.model import (
    Category,
    Cause,
    Class,
    Decision,
    Disposition,
    Effect,
    Envelope,
    Event,
    Front,
    History,
    IncidentKind,
    Kind,
    Report,
    Trust,
    Verdict,
    address_hash,
)
from bouncemilter.pipeline.attribution import Arrival, Attribution, is_untrusted
from bouncemilter.pipeline.caps import EVENTS_AN_HOUR, EXCERPTS_AN_HOUR, OPT_OUTS_AN_HOUR, HourlyCap, network
from bouncemilter.pipeline.flight import Flight, RecipientResult
from bouncemilter.pipeline.poison import Poison
from bouncemilter.pipeline.review import Review
from bouncemilter.reasons import DecisionReason
from bouncemilter.returnpath import Form, Ownership
from bouncemilter.store import Entry, Recorded, Store, StoreUnavailable, Tally
from bouncemilter.trust import Proof

EVENTS: Final = Counter("bouncemilter_events_total", "Events stored", ["kind", "class", "category", "trust"])
SUPPRESSIONS: Final = Counter("bouncemilter_suppressions_total", "Addresses suppressed by policy", ["cause"])
INCIDENTS: Final = Counter("bouncemilter_incidents_total", "Incidents opened", ["kind"])
FALLBACKS: Final = Counter("bouncemilter_fallback_total", "Failures that only a fallback rule explained", ["class"])
OVERFLOW: Final = Counter("bouncemilter_overflow_total", "Events of trust none that were counted without a row")
READ_SECONDS: Final = Histogram(
    "bouncemilter_read_seconds",
    "Reading and classifying one message",
    buckets=(0.0002, 0.001, 0.005, 0.02, 0.05, 0.2, 1),
)
COMMIT_SECONDS: Final = Histogram(
    "bouncemilter_commit_seconds", "From the verdict to the commit", buckets=(0.002, 0.01, 0.05, 0.2, 1, 5, 20)
)

_log = structlog.get_logger()


def declare() -> None:
    """Make the label values that alerts ask for appear from the start: the first failure is an increase, too."""
    for trust in Trust:
        for kind in Kind:
            if kind not in _NOT_STORED:
                EVENTS.labels(kind, "", "", trust)
        for category in Category:
            EVENTS.labels(Kind.BOUNCE, category.class_, category, trust)
            EVENTS.labels(Kind.DELAYED, category.class_, category, trust)
    for cause in Cause:
        SUPPRESSIONS.labels(cause)
    for incident in IncidentKind:
        INCIDENTS.labels(incident)
    for class_ in Class:
        FALLBACKS.labels(class_)


_INLINE_BYTES: Final = 16 * 1024
"""Up to here a message is read on the event loop (a few hundred microseconds); larger ones go to a thread, since a
hostile one takes much longer."""

REFUSAL_SECONDS: Final = 60.0
"""So long a failed commit speaks for the store, unless another one succeeds."""

_ALWAYS_PASSED: Final = (Kind.MAIL, Kind.REPORT, Kind.CHALLENGE)
_NOT_STORED: Final = (Kind.MAIL, Kind.REPORT)
"""Counted only: no address, subject or text of people's mail is kept."""


class Classifier(Protocol):
    """What the path needs of classify/."""

    def verdict(self, report: Report, /) -> Verdict:
        """What the report means."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of the path."""

    attribution: Attribution
    rules: policy.Rules = field(default_factory=policy.Rules)
    passed: frozenset[Kind] = frozenset()
    """Kinds that are passed on as well, beside those that always are."""
    on_error: Mapping[Front, Disposition] = field(default_factory=dict)
    """What is done when a message could not be committed: TEMPFAIL (default) or PASS, unchanged."""


class Pipeline:
    """The one path of every message, whatever front it came by.

    `ownership` and `open` may be called from any thread; what a Flight then awaits runs on the event loop.
    """

    def __init__(self, store: Store, classifier: Classifier, options: Options) -> None:
        self._store = store
        self._classifier = classifier
        self._options = options
        self._event_cap = HourlyCap(EVENTS_AN_HOUR)
        self._excerpt_cap = HourlyCap(EXCERPTS_AN_HOUR)
        self._opt_out_cap = HourlyCap(OPT_OUTS_AN_HOUR)
        self._refusal, self._refused_at = "", 0.0
        self.poison = Poison()

    @property
    def rules(self) -> policy.Rules:
        """The settings of policy, as they are now."""
        return self._options.rules

    def configure(self, classifier: Classifier, options: Options) -> None:
        """Take new settings, all at once, for the messages that come from now on."""
        self._classifier, self._options = classifier, options

    def ownership(self, recipient: str) -> Ownership | None:
        """What an envelope recipient is to us, by form alone."""
        return self._options.attribution.recognizer.ownership(recipient)

    @property
    def takes(self) -> tuple[str, ...]:
        """What decides which messages are consumed, to be held against another time: our addresses, preset, kinds."""
        options = self._options
        return (*options.attribution.recognizer.names, options.rules.preset, *sorted(options.passed))

    def open(self, envelope: Envelope, head: bytes, size: int) -> Flight:
        """A whole message has come: its first limits.KEPT_BYTES octets, and its size in octets."""
        return Flight(self, envelope, head, size)

    def review(self, envelope: Envelope, head: bytes, size: int) -> Review:
        """A message to review@ has come: as `open`. Its recipients are those at review@."""
        return Review(self, self._options.attribution.recognizer, envelope, head, size)

    def on_error(self, front: Front) -> Disposition:
        """What is done with a message of `front` that could not be committed."""
        return self._options.on_error.get(front, Disposition.TEMPFAIL)

    def store_failure(self) -> str:
        """Why the last commit failed; empty if it did not, or too long ago to tell how the store is now.

        On a full disk a heartbeat may still find room where a message does not.
        """
        return self._refusal if time.monotonic() - self._refused_at < REFUSAL_SECONDS else ""

    async def read(self, head: bytes, size: int) -> tuple[Verdict, bytes]:
        """The verdict on a message and its fingerprint."""
        started = time.monotonic()
        found = (
            self._read(head, size) if len(head) <= _INLINE_BYTES else await asyncio.to_thread(self._read, head, size)
        )
        READ_SECONDS.observe(time.monotonic() - started)
        return found

    def _read(self, head: bytes, size: int) -> tuple[Verdict, bytes]:
        kept = head[: limits.KEPT_BYTES]
        verdict = self._classifier.verdict(report.read(kept, truncated=size > len(kept)))
        return verdict, report.fingerprint(kept)

    async def commit(self, envelope: Envelope, verdict: Verdict, digest: bytes) -> tuple[RecipientResult, ...]:
        """Store what the message says for each envelope recipient, in one transaction; then what to do with it."""
        options = self._options
        started = time.monotonic()
        entries: list[list[Entry]] = []
        tallies: list[Tally] = []
        for recipient in envelope.recipients:
            proof = options.attribution.proof(envelope, recipient, verdict)
            arrival = Arrival(envelope, recipient, verdict, proof, await self._recorded(proof), digest)
            events = _stored(options.attribution.events(arrival), verdict)
            events = self._within_caps(events, tallies)
            entries.append([Entry(event, self._judge(event, envelope, options)) for event in events])
            tallies.extend(_tallies(envelope.front, verdict, events))
        recorded = iter(await self._record(verdict, [entry for each in entries for entry in each], tallies))
        COMMIT_SECONDS.observe(time.monotonic() - started)
        OVERFLOW.inc(sum(each.overflow for each in tallies))
        disposition = self.disposition(envelope, verdict)
        return tuple(self._outcome(verdict, each, [next(recorded) for _ in each], disposition) for each in entries)

    async def _recorded(self, proof: Proof) -> Callable[[str], bool]:
        """Whether the message of a message token was sent to an address key; other tokens need no record."""
        if proof.token is None or proof.token.form is not Form.MESSAGE:
            return lambda _: False
        known = await self._store.sent.recipients(proof.token.nonce)
        return lambda key: address_hash(key) in known

    async def _record(self, verdict: Verdict, entries: list[Entry], tallies: list[Tally]) -> Sequence[Recorded]:
        try:
            recorded = await self._store.record(entries, tallies)
        except StoreUnavailable as error:
            self._refusal, self._refused_at = str(error), time.monotonic()
            if verdict.kind in _NOT_STORED:  # a count is not worth holding up a person's mail
                return ()
            raise
        self._refusal = ""
        return recorded

    def _judge(self, event: Event, envelope: Envelope, options: Options) -> Callable[[History], Decision]:
        if event.kind is Kind.UNSUBSCRIBE and not self._opt_out_cap.admit(network(envelope.client)):
            return lambda _: Decision(Effect.RECORDED, DecisionReason.TOO_MANY.recorded(requests=OPT_OUTS_AN_HOUR))
        own = options.attribution.evidence.own_domains
        return lambda history: policy.decide(event, history, options.rules, own, now=envelope.read_at)

    def _within_caps(self, events: tuple[Event, ...], tallies: list[Tally]) -> tuple[Event, ...]:
        """The same events; where strangers sent too many, without their words, or no event but a count."""
        if not is_untrusted(events):
            return events
        kept: list[Event] = []
        for event in events:
            # Requests to be taken off have a cap of their own: a flood of reports must not drown them.
            if not self._event_cap.admit(event.kind if event.kind is Kind.UNSUBSCRIBE else ""):
                tallies.append(Tally(event.front, event.kind, event.category, Trust.NONE, overflow=True))
            elif self._excerpt_cap.admit():
                kept.append(event)
            else:
                kept.append(dataclasses.replace(event, excerpt="", diagnostic=""))
        return tuple(kept)

    def disposition(self, envelope: Envelope, verdict: Verdict) -> Disposition:
        """What is done with a message that is on disk, before what the store knows of it is asked."""
        options = self._options
        kind, said = verdict.kind, verdict.report
        # What machines send back has the null reverse-path (RFC 5321 section 4.5.5, RFC 3834 section 3.3).
        by_person = said.written_by_person or (said.known_by_words and bool(envelope.sender))
        observing = options.rules.preset is policy.Preset.OBSERVE
        passing = kind in _ALWAYS_PASSED or kind in options.passed or by_person or observing
        return Disposition.PASS if passing else Disposition.DISCARD

    @staticmethod
    def _outcome(
        verdict: Verdict, entries: list[Entry], recorded: list[Recorded], disposition: Disposition
    ) -> RecipientResult:
        for entry, row in zip(entries, recorded, strict=True):
            if not row.duplicate:
                _announce(entry.event, row)
        drowned = verdict.kind is Kind.UNSUBSCRIBE and not entries
        if drowned or any(_is_unheard(entry.event, row) for entry, row in zip(entries, recorded, strict=True)):
            disposition = Disposition.PASS
        duplicate = bool(recorded) and all(row.duplicate for row in recorded)
        new = [row for row in recorded if not row.duplicate]
        return RecipientResult(
            disposition,
            kind=None if duplicate else verdict.kind,
            events=tuple(entry.event for entry in entries),
            effects=tuple(row.decision.effect for row in new if row.decision),
        )


def _is_unheard(event: Event, row: Recorded) -> bool:
    """Whether somebody asks to be taken off and is not (over the cap, or no list known): a person has to see to it."""
    if event.kind is not Kind.UNSUBSCRIBE or row.decision is None:
        return False
    return row.decision.effect is Effect.RECORDED and row.decision.reason != policy.TAKEN_OFF


def _stored(events: tuple[Event, ...], verdict: Verdict) -> tuple[Event, ...]:
    return () if verdict.kind in _NOT_STORED else events


def _tallies(front: Front, verdict: Verdict, events: tuple[Event, ...]) -> list[Tally]:
    if verdict.kind in _NOT_STORED:
        return [Tally(front, verdict.kind, None, None)]
    return [Tally(front, event.kind, event.category, event.trust) for event in events]


def _announce(event: Event, row: Recorded) -> None:
    """Count and log one new event."""
    EVENTS.labels(event.kind, event.class_ or "", event.category or "", event.trust).inc()
    if event.class_ and event.rule.startswith("fallback."):
        FALLBACKS.labels(event.class_).inc()
    if row.opened:
        INCIDENTS.labels(row.opened).inc()
        _log.warning(
            "incident_opened", kind=row.opened, category=event.category, address=event.address_key, event_id=event.id
        )
    decision = row.decision
    if decision is None:
        return
    if decision.effect is Effect.SUPPRESSED and decision.sentence:
        SUPPRESSIONS.labels(decision.sentence.cause).inc()
    _log.info(
        "event_recorded",
        event_id=event.id,
        front=event.front,
        kind=event.kind,
        address=event.address_key,
        category=event.category,
        rule=event.rule,
        trust=event.trust,
        effect=decision.effect,
        reason=decision.reason,
    )

"""What becomes of one event: a pure function of the address's history, the event and the rules.

Counts are of distinct original messages, never of reports, and by class: all soft together, all counted hard
together. The sender's own faults (class `block`) and greylisting never count. What can't be tied to mail of ours
(trust `none`) never counts; what is only plausible needs two messages, however clear its words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bouncemilter import reasons, selftest
from bouncemilter.model import (
    Category,
    Cause,
    Class,
    Decision,
    Effect,
    Event,
    History,
    Kind,
    Mark,
    Probation,
    Scope,
    Sentence,
    Trust,
)
from bouncemilter.reasons import Counted, DecisionReason


class Preset(StrEnum):
    """How far policy goes."""

    OBSERVE = "observe"
    """Suppresses nothing, passes everything, and reports what would have been done."""
    HARD_ONLY = "hard-only"
    """Hard failures suppress; soft ones are only watched."""
    STANDARD = "standard"


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of policy; the defaults are those of the shipped configuration."""

    preset: Preset = Preset.HARD_ONLY
    soft_messages: int = 4
    """So many soft messages within the window suppress."""
    hard_messages: int = 2
    """So many counted hard messages within the window suppress, where one alone does not."""
    window: dt.timedelta = dt.timedelta(days=32)
    """From the oldest counted message to the newest, both included."""
    soft_spacing: dt.timedelta = dt.timedelta(hours=24)
    """A soft message counts once in this time: a newsletter in four parts is not four weeks of a full mailbox."""
    soft_expiry: dt.timedelta = dt.timedelta(days=90)
    """Of a soft suppression. Then the address is on probation."""
    require: Trust = Trust.PLAUSIBLE
    """The lowest tier that may count. `none` never counts, whatever stands here."""
    probation: dt.timedelta = dt.timedelta(days=32)
    """So long after a soft suppression has expired one soft message is enough; without any, all is forgotten."""
    second_expiry: dt.timedelta = dt.timedelta(days=180)
    """Of the soft suppression that follows a probation. The one after that is for good."""


AT_ONCE: Final = frozenset(
    {
        Category.USER_UNKNOWN,
        Category.DOMAIN_NO_MAIL,
        Category.ADDRESS_SYNTAX,
        Category.MAILBOX_OWNER_CHANGED,
        Category.BLOCKED_BY_RECIPIENT,
    }
)
"""Hard categories of which one authenticated message is enough. The others need `hard_messages`."""

COUNTED_FOR: Final = dt.timedelta(days=32)
"""An older failure that comes to light only now is recorded, never counted."""
TAKEN_OFF: Final = DecisionReason.TAKEN_OFF.recorded()
"""Why a request to be taken off that comes again changes nothing."""
AUTHENTICATED: Final = (Trust.TOKEN, Trust.LOCAL)
_PLAUSIBLE_MESSAGES: Final = 2
_UNNAMED: Final = "day:"
"""How a message key begins where the report names no message: it is the day's."""
_SUCCESSES: Final = (Kind.DELIVERED, Kind.RECEIPT, Kind.AUTO_REPLY)

# RFC 2142 and the accounts of machines. Its `info`, `sales` and `marketing` are left out: small firms read and
# subscribe with them.
_ROLES: Final = frozenset(
    "postmaster abuse hostmaster webmaster mailer-daemon noc security root usenet news uucp ftp www nobody".split()
)


def decide(
    event: Event,
    history: History,
    rules: Rules,
    own_domains: frozenset[str] = frozenset(),
    now: dt.datetime | None = None,
) -> Decision:
    """Decide about `event` in the light of `history` (which does not contain it).

    `own_domains` are the domains (A-labels) whose addresses, and those below them, no request can take off. `now`, UTC,
    where it may be long after the event: mail that was found in a mailbox.
    """
    if selftest.names(event.address_key):
        decision = _recorded(DecisionReason.SELF_TEST)
    elif event.kind is Kind.BOUNCE and now is not None and now - event.at > COUNTED_FOR:
        decision = _recorded(DecisionReason.TOO_OLD, days=COUNTED_FOR.days)
    elif event.kind is Kind.BOUNCE:
        decision = _failure(event, history, rules)
    elif event.kind in _SUCCESSES:
        decision = _success(event, rules)
    elif event.kind is Kind.COMPLAINT:
        decision = _complaint(event, history, rules)
    elif event.kind is Kind.UNSUBSCRIBE:
        decision = _opt_out(event, history, own_domains)
    else:
        decision = _recorded(DecisionReason.KIND, kind=event.kind)
    return _observed(decision) if rules.preset is Preset.OBSERVE else decision


def _failure(event: Event, history: History, rules: Rules) -> Decision:
    excuse = _excuse(event, rules)
    if excuse:
        return Decision(Effect.RECORDED, excuse)
    if event.category is None:
        return _recorded(DecisionReason.NO_CATEGORY)
    if event.category is Category.BLOCKED_BY_RECIPIENT:
        return _blocked_by_recipient(event, history, rules)
    if event.class_ is Class.HARD:
        return _hard(event, history, rules)
    return _soft(event, history, rules)


def _excuse(event: Event, rules: Rules) -> str:
    """Why a failure does not count; an empty string where it does."""
    if event.already_suppressed:
        return DecisionReason.RELAY_S_LIST.recorded()
    if event.category is Category.GREYLISTED:
        return DecisionReason.GREYLISTED.recorded()
    if event.class_ is Class.BLOCK:
        return DecisionReason.SENDER_S_FAULT.recorded()
    return _untrusted(event, rules) or ("" if event.address_key else DecisionReason.NOBODY.recorded())


def _untrusted(event: Event, rules: Rules) -> str:
    if event.trust is Trust.NONE:
        return DecisionReason.UNTIED.recorded()
    if not event.trust.at_least(rules.require):
        return DecisionReason.LITTLE_TRUST.recorded(trust=event.trust, required=rules.require)
    return ""


def _hard(event: Event, history: History, rules: Rules) -> Decision:
    count = _messages((mark for mark in _with(event, history, rules) if _is_global_hard(mark)), event, rules)
    needed = 1 if _alone_is_enough(event) else _needed(rules.hard_messages, event)
    sentence = Sentence(Scope.GLOBAL, "", Cause.HARD, expires_at=None)
    return _counted(event, history, sentence, Count(Counted.HARD, count, needed, rules.window.days))


def _is_global_hard(mark: Mark) -> bool:
    """Hard for every sender; `blocked_by_recipient` is about one sender only."""
    return mark.class_ is Class.HARD and mark.category is not Category.BLOCKED_BY_RECIPIENT


def _alone_is_enough(event: Event) -> bool:
    certain = (
        event.category in AT_ONCE
        or (event.category is Category.MAILBOX_DISABLED and event.closed_for_good)
        or (event.category is Category.DOMAIN_NOT_FOUND and event.dns_confirmed)
    )
    return certain and event.trust in AUTHENTICATED and not event.forwarded


def _needed(messages: int, event: Event) -> int:
    """`messages`, but never one alone where anybody could have written it, or it is about another address."""
    certain = event.trust in AUTHENTICATED and not event.forwarded
    return messages if certain else max(messages, _PLAUSIBLE_MESSAGES)


def _soft(event: Event, history: History, rules: Rules) -> Decision:
    marks = _with(event, history, rules)
    hard_messages = {mark.message_key for mark in marks if mark.class_ is Class.HARD}
    soft = [
        mark
        for mark in marks
        if mark.class_ is Class.SOFT
        and mark.message_key not in hard_messages
        and (history.last_success is None or mark.at > history.last_success)
    ]
    count = _messages(soft, event, rules, rules.soft_spacing)
    probation = _probation(event, history, rules)
    what, needed = (Counted.SOFT_ON_PROBATION, 1) if probation else (Counted.SOFT, rules.soft_messages)
    seen = Count(what, count, _needed(needed, event), rules.window.days)
    if rules.preset is Preset.HARD_ONLY:
        why = _and(str(seen), DecisionReason.HARD_ONLY)
        return Decision(Effect.COUNTED, why, counts=True, watched=seen.short)
    newest = max((mark.at for mark in soft), default=event.at)
    expiry = (rules.soft_expiry, rules.second_expiry)
    times = probation.times + 1 if probation else 1
    expires_at = newest + expiry[times - 1] if times <= len(expiry) else None
    return _counted(event, history, Sentence(Scope.GLOBAL, "", Cause.SOFT, expires_at, times), seen)


def _probation(event: Event, history: History, rules: Rules) -> Probation | None:
    """The probation that the event falls into. A success, or quiet days, have ended it."""
    found = history.probation
    if found is None or not found.since <= event.at <= found.since + rules.probation:
        return None
    return None if history.last_success and history.last_success > found.since else found


def _messages(marks: Iterable[Mark], event: Event, rules: Rules, spacing: dt.timedelta = dt.timedelta()) -> int:
    """How many messages `marks` (oldest first) are about, at most, within any one window that the event's lies in.

    A message lies where its first report does; one less than `spacing` after the one before is not counted. Reports
    come late and in any order, so a window may end after the event: what is known in the end decides. A report that
    names no message is taken for another one on a message of the same day, where there is one.
    """
    first: dict[str, dt.datetime] = {}
    for mark in marks:
        first.setdefault(mark.message_key, mark.at)
    days = {at.astimezone(dt.UTC).date() for key, at in first.items() if not key.startswith(_UNNAMED)}
    first = {
        key: at for key, at in first.items() if not key.startswith(_UNNAMED) or at.astimezone(dt.UTC).date() not in days
    }
    own = first.get(event.message_key, event.at)
    moments = [at for at in first.values() if own - rules.window <= at <= own + rules.window]
    ends = [at for at in moments if at >= own] or [own]
    return max(_spaced((at for at in moments if end - rules.window <= at <= end), spacing) for end in ends)


def _spaced(moments: Iterable[dt.datetime], spacing: dt.timedelta) -> int:
    """How many of `moments` (oldest first) lie `spacing` or more after the one taken before."""
    taken, last = 0, None
    for at in moments:
        if last is None or at - last >= spacing:
            taken, last = taken + 1, at
    return taken


def _blocked_by_recipient(event: Event, history: History, rules: Rules) -> Decision:
    sentence = _narrow(event, Cause.BLOCKED_BY_RECIPIENT)
    if sentence is None:
        return _recorded(DecisionReason.BLOCKED_BY_UNKNOWN)
    own = _with_same_sender(event, history, rules)
    marks = (mark for mark in own if mark.category is Category.BLOCKED_BY_RECIPIENT)
    count = _messages(marks, event, rules)
    needed = 1 if _alone_is_enough(event) else _needed(rules.hard_messages, event)
    return _counted(event, history, sentence, Count(Counted.BLOCKED, count, needed, rules.window.days))


def _success(event: Event, rules: Rules) -> Decision:
    untrusted = _untrusted(event, rules)
    if untrusted or not event.address_key:
        return Decision(Effect.RECORDED, untrusted or DecisionReason.NOBODY.recorded())
    return Decision(Effect.SUCCESS, DecisionReason.TAKES_MAIL.recorded(kind=event.kind))


def _complaint(event: Event, history: History, rules: Rules) -> Decision:
    sentence = _narrow(event, Cause.COMPLAINT)
    untrusted = _untrusted(event, rules)
    if untrusted or sentence is None or not event.address_key:
        return Decision(Effect.RECORDED, untrusted or DecisionReason.COMPLAINT_OF_NOBODY.recorded())
    marks = (mark for mark in _with_same_sender(event, history, rules) if mark.kind is Kind.COMPLAINT)
    count = _messages(marks, event, rules)
    needed = _needed(1, event)
    return _counted(event, history, sentence, Count(Counted.COMPLAINT, count, needed, rules.window.days))


def _opt_out(event: Event, history: History, own_domains: frozenset[str]) -> Decision:
    local, _, domain = event.address_key.rpartition("@")
    if not local or local.lower() in _ROLES or any(f".{domain}".endswith(f".{own}") for own in own_domains):
        return _recorded(DecisionReason.OPT_OUT_OF_NOBODY)
    sentence = _narrow(event, Cause.UNSUBSCRIBE)
    if sentence is None:
        return _recorded(DecisionReason.OPT_OUT_OF_NOTHING)
    if _in_force(sentence, history):
        return _recorded(DecisionReason.TAKEN_OFF)
    return Decision(Effect.SUPPRESSED, DecisionReason.OPTED_OUT.recorded(), sentence=sentence)


def _narrow(event: Event, cause: Cause) -> Sentence | None:
    """A sentence for one sender domain, or for one list; never global, never expiring.

    Who asks to be taken off means the list, where it is named; who complains or blocks means the sender.
    """
    list_id = event.returned.list_id.lower() if cause is not Cause.COMPLAINT else ""
    if event.sender_domain and not (list_id and cause is Cause.UNSUBSCRIBE):
        return Sentence(Scope.SENDER, event.sender_domain, cause, expires_at=None)
    return Sentence(Scope.LIST, list_id, cause, expires_at=None) if list_id else None


@dataclass(frozen=True, slots=True)
class Count:
    """How many messages of a class there are, of how many that are needed."""

    what: Counted
    messages: int
    needed: int
    days: int

    @property
    def short(self) -> str:
        """`2/4`."""
        return f"{self.messages}/{self.needed}"

    def __str__(self) -> str:
        form = DecisionReason.COUNT_WITHIN if self.needed > 1 else DecisionReason.COUNT
        return form.recorded(what=self.what.value.en, messages=self.messages, needed=self.needed, days=self.days)


def _counted(event: Event, history: History, sentence: Sentence, seen: Count) -> Decision:
    """Suppress where `seen` is enough and nothing in force says the same; else watch."""
    form = DecisionReason.TRUSTED_FORWARDED if event.forwarded else DecisionReason.TRUSTED
    why = form.recorded(count=seen, trust=event.trust)
    if (sentence.scope, sentence.scope_value, sentence.cause) in history.pending:
        return _decided(event, history, sentence, why)
    if seen.messages < seen.needed:
        return Decision(Effect.COUNTED, why, counts=True, watched=seen.short)
    if _in_force(sentence, history):
        return Decision(Effect.COUNTED, _and(why, DecisionReason.ALREADY_SUPPRESSED), counts=True)
    return Decision(Effect.SUPPRESSED, why, counts=True, sentence=sentence)


def _decided(event: Event, history: History, sentence: Sentence, why: str) -> Decision:
    """The failure of an address whose suppression an incident holds back: a later message than that one decides."""
    earlier = {mark.message_key for mark in history.marks}
    if event.message_key in earlier or not (earlier or _needed(1, event) == 1):
        return Decision(Effect.COUNTED, _and(why, DecisionReason.STILL_PENDING), counts=True)
    return Decision(Effect.SUPPRESSED, _and(why, DecisionReason.FAILED_AGAIN), counts=True, sentence=sentence)


def _in_force(sentence: Sentence, history: History) -> bool:
    same = (sentence.scope, sentence.scope_value, sentence.cause)
    # A mailbox that is dead for good need not be suppressed for being full as well.
    covered = sentence.cause is Cause.SOFT and (Scope.GLOBAL, "", Cause.HARD) in history.suppressed
    return covered or same in history.suppressed


def _with(event: Event, history: History, rules: Rules) -> list[Mark]:
    """The marks that may count by today's rules, the event's own included, oldest first."""
    marks = (mark for mark in (*history.marks, Mark.of(event)) if _may_count(mark, rules))
    return sorted(marks, key=lambda mark: mark.at)


def _with_same_sender(event: Event, history: History, rules: Rules) -> Iterable[Mark]:
    """Those of the marks that are about mail of the event's sender: what the sentence is about, too."""
    return (mark for mark in _with(event, history, rules) if mark.sender_domain == event.sender_domain)


def _may_count(mark: Mark, rules: Rules) -> bool:
    """The settings may have become stricter since a mark was made."""
    blameless = mark.category is Category.GREYLISTED or mark.class_ is Class.BLOCK
    return not blameless and mark.trust is not Trust.NONE and mark.trust.at_least(rules.require)


def _recorded(reason: DecisionReason, **given: object) -> Decision:
    return Decision(Effect.RECORDED, reason.recorded(**given))


def _and(why: str, part: DecisionReason) -> str:
    return reasons.joined(why, part.recorded())


def _observed(decision: Decision) -> Decision:
    """The same decision without its consequence: the sentence stays, as what would have been done."""
    if decision.effect is not Effect.SUPPRESSED:
        return decision
    reason = _and(decision.reason, DecisionReason.OBSERVED)
    return Decision(
        Effect.COUNTED, reason, counts=decision.counts, watched=decision.watched, sentence=decision.sentence
    )

"""What must hold for every history, and in every order of arrival."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from bouncemilter import policy, reasons
from bouncemilter.language import Language
from bouncemilter.model import Category, Cause, Class, Effect, Event, History, Kind, Mark, Scope, Trust
from bouncemilter.policy import Preset, Rules
from tests.policy.cases import START, Mailbox, event

_MOMENTS = st.one_of(
    st.integers(0, 70).map(lambda days: START + dt.timedelta(days=days)),
    st.integers(0, 70 * 86_400).map(lambda seconds: START + dt.timedelta(seconds=seconds)),
)
_COUNTED = st.sampled_from([each for each in Category if each.class_ is not Class.BLOCK])
_SLOTS = st.tuples(
    st.sampled_from(Scope), st.sampled_from(["", "example.com", "news.example.com"]), st.sampled_from(Cause)
)
_MARKS = st.builds(
    Mark,
    _MOMENTS,
    st.sampled_from(["mid:<a@x.pl>", "mid:<b@x.pl>", "envid:c", "day:jan@example.pl:2026-03-01", ""]),
    st.none() | st.sampled_from(Category),
    st.sampled_from(Trust),
    st.booleans(),
    st.sampled_from([Kind.BOUNCE, Kind.COMPLAINT]),
)
_HISTORIES = st.builds(
    History,
    st.lists(_MARKS, max_size=12).map(lambda marks: tuple(sorted(marks, key=lambda mark: mark.at))),
    st.none() | _MOMENTS,
    st.frozensets(_SLOTS, max_size=3),
)
_RULES = st.builds(
    Rules,
    st.sampled_from(Preset),
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 32).map(lambda days: dt.timedelta(days=days)),
    st.integers(1, 48).map(lambda hours: dt.timedelta(hours=hours)),
    st.integers(1, 365).map(lambda days: dt.timedelta(days=days)),
    st.sampled_from(Trust),
)


@st.composite
def _events(draw: st.DrawFn) -> Event:
    return event(
        draw(st.none() | st.sampled_from(Category)),
        message=draw(st.sampled_from("abc")),
        at=draw(_MOMENTS),
        kind=draw(st.sampled_from(Kind)),
        trust=draw(st.sampled_from(Trust)),
        forwarded=draw(st.booleans()),
        already_suppressed=draw(st.booleans()),
        closed_for_good=draw(st.booleans()),
    )


@given(_events(), _HISTORIES, _RULES)
def test_never_suppresses(new: Event, history: History, rules: Rules) -> None:
    """Whatever the history: the sender's fault, what can't be tied to our mail, and observing suppress nobody."""
    decision = policy.decide(new, history, rules)
    if new.class_ is Class.BLOCK and new.kind is Kind.BOUNCE:
        assert (decision.effect, decision.counts) == (Effect.RECORDED, False)
    if new.trust is Trust.NONE and new.kind is not Kind.UNSUBSCRIBE:
        assert (decision.effect, decision.counts) == (Effect.RECORDED, False)
    if new.already_suppressed and new.kind is Kind.BOUNCE:
        assert not decision.counts
    if rules.preset is Preset.OBSERVE:
        assert decision.effect is not Effect.SUPPRESSED


@given(_events(), _HISTORIES, _RULES)
def test_decision_is_consistent(new: Event, history: History, rules: Rules) -> None:
    """A suppression has its sentence, only global ones can be hard or soft, and only soft ones end."""
    decision = policy.decide(new, history, rules)
    sentence = decision.sentence
    assert decision == policy.decide(new, history, rules)
    assert (sentence is not None) == (decision.effect is Effect.SUPPRESSED) or rules.preset is Preset.OBSERVE
    if sentence:
        assert (sentence.scope is Scope.GLOBAL) == (sentence.cause in (Cause.HARD, Cause.SOFT))
        assert bool(sentence.scope_value) == (sentence.scope is not Scope.GLOBAL)
        assert (sentence.expires_at is not None) == (sentence.cause is Cause.SOFT)
        assert (sentence.scope, sentence.scope_value, sentence.cause) not in history.suppressed


@given(_events(), _HISTORIES, _RULES)
def test_reason_in_polish(new: Event, history: History, rules: Rules) -> None:
    """Each part of whatever reason is recorded has its Polish."""
    for part in policy.decide(new, history, rules).reason.split(reasons.JOINT):
        assert reasons.told(part, Language.PL) != part


@given(_events(), _HISTORIES, _RULES)
def test_plausible_needs_history(new: Event, history: History, rules: Rules) -> None:
    """Without another message behind it, a failure or complaint that anybody could have written suppresses nobody."""
    if new.trust is not Trust.PLAUSIBLE or new.kind is Kind.UNSUBSCRIBE:
        return
    others = {mark.message_key for mark in history.marks} - {new.message_key}
    if not others:
        assert policy.decide(new, history, rules).sentence is None


@given(
    st.lists(st.tuples(_MOMENTS, _COUNTED, st.sampled_from(Trust)), min_size=1, max_size=9),
    st.none() | _MOMENTS,
    st.randoms(use_true_random=False),
)
def test_order_of_arrival(
    failures: list[tuple[dt.datetime, Category, Trust]], success: dt.datetime | None, random: object
) -> None:
    """The same failures, each of a message of its own, end in the same suppressions in whatever order they arrive."""
    marks = [
        event(category, message=str(number), at=moment, trust=trust)
        for number, (moment, category, trust) in enumerate(failures)
    ]
    first = [event(None, at=success, kind=Kind.DELIVERED)] if success else []
    shuffled = list(marks)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    in_order, as_it_came = Mailbox(), Mailbox()
    in_order.get(*first, *sorted(marks, key=lambda each: each.at))
    as_it_came.get(*first, *shuffled)
    # A dead address is not suppressed for being full as well, so which came first decides whether soft is named.
    assert _effective(in_order) == _effective(as_it_came)


def _effective(mailbox: Mailbox) -> set[tuple[Scope, str, Cause]]:
    dead = (Scope.GLOBAL, "", Cause.HARD) in mailbox.suppressed
    return {slot for slot in mailbox.suppressed if not (dead and slot[2] is Cause.SOFT)}


@given(st.lists(st.tuples(_MOMENTS, _COUNTED), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_copies_do_not_count(failures: list[tuple[dt.datetime, Category]], random: object) -> None:
    """Copies of the same reports, wherever they come in between, change nothing."""
    once = [event(category, message=str(number), at=moment) for number, (moment, category) in enumerate(failures)]
    twice = [*once, *once]
    random.shuffle(twice)  # type: ignore[attr-defined]
    plain, copied = Mailbox(), Mailbox()
    plain.get(*once)
    copied.get(*twice)
    assert _effective(plain) == _effective(copied)

"""Failures that come to light long after they happened, in a mailbox."""

from __future__ import annotations

import pytest

from bouncemilter import policy
from bouncemilter.model import Category, Cause, Effect, History, Kind
from tests.policy.cases import STANDARD, at, event

MONTH = 32 * 86_400


@pytest.mark.parametrize(
    ("seconds", "effect"), [(0, Effect.SUPPRESSED), (MONTH, Effect.SUPPRESSED), (MONTH + 1, Effect.RECORDED)]
)
def test_age(seconds: int, effect: Effect) -> None:
    """A failure of 32 days ago counts, one that is a second older is recorded and no more."""
    decision = policy.decide(event(), History(), STANDARD, now=at(seconds=seconds))
    assert decision.effect is effect
    assert decision.counts is (effect is Effect.SUPPRESSED)


@pytest.mark.parametrize("category", [Category.MAILBOX_FULL, Category.HARD_OTHER, Category.BLOCKED_BY_RECIPIENT])
def test_every_category(category: Category) -> None:
    """None of the categories counts any more."""
    assert not policy.decide(event(category), History(), STANDARD, now=at(33)).counts


@pytest.mark.parametrize("kind", [Kind.UNSUBSCRIBE, Kind.COMPLAINT])
def test_wishes_do_not_age(kind: Kind) -> None:
    """Who asked to be taken off, or complained, however long ago, is not written to."""
    decision = policy.decide(event(None, kind=kind), History(), STANDARD, now=at(300))
    assert decision.effect is Effect.SUPPRESSED
    assert decision.sentence is not None
    assert decision.sentence.cause in (Cause.UNSUBSCRIBE, Cause.COMPLAINT)

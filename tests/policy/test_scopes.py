"""Blocks by a person, complaints and requests to be taken off: in whose name, by whose word, for whom."""

from __future__ import annotations

from typing import Any

import pytest

from bouncemilter import selftest
from bouncemilter.model import Category, Cause, Decision, Effect, Kind, Returned, Scope, Sentence, Trust
from tests.policy.cases import LIST_ID, Mailbox, event, listed

SENDER = "example.com"


def judged(kind: Kind, category: Category | None = None, **fields: Any) -> Decision:
    return Mailbox().get(event(category, kind=kind, **fields))


@pytest.mark.parametrize(
    ("fields", "scope"),
    [
        ({}, (Scope.SENDER, SENDER)),
        (listed(), (Scope.LIST, LIST_ID)),
        ({"returned": Returned(list_id="News.Example.COM")}, (Scope.LIST, LIST_ID)),
        (listed(sender_domain=""), (Scope.LIST, LIST_ID)),
        ({"sender_domain": ""}, None),
    ],
)
def test_unsubscribe_scope(fields: dict[str, Any], scope: tuple[Scope, str] | None) -> None:
    """A request is for the list, where its List-ID is known, else for the sender; it never ends and is never global."""
    decision = judged(Kind.UNSUBSCRIBE, **fields)
    assert decision.sentence == (Sentence(*scope, Cause.UNSUBSCRIBE, None) if scope else None)
    assert decision.effect is (Effect.SUPPRESSED if scope else Effect.RECORDED)
    assert not decision.counts


@pytest.mark.parametrize(
    ("fields", "scope"),
    [
        ({}, (Scope.SENDER, SENDER)),
        (listed(), (Scope.SENDER, SENDER)),
        (listed(sender_domain=""), None),
    ],
)
def test_complaint_scope(fields: dict[str, Any], scope: tuple[Scope, str] | None) -> None:
    """A complaint is about the sender, whatever list it was; it never ends and is never global."""
    decision = judged(Kind.COMPLAINT, **fields)
    assert decision.sentence == (Sentence(*scope, Cause.COMPLAINT, None) if scope else None)


@pytest.mark.parametrize(
    ("fields", "scope"),
    [
        ({}, (Scope.SENDER, SENDER)),
        (listed(), (Scope.SENDER, SENDER)),
        (listed(sender_domain=""), (Scope.LIST, LIST_ID)),
        ({"sender_domain": ""}, None),
    ],
)
def test_blocked_by_recipient_scope(fields: dict[str, Any], scope: tuple[Scope, str] | None) -> None:
    """Who blocks us has a living mailbox: the sender, or the list, is suppressed, never all of us."""
    decision = judged(Kind.BOUNCE, Category.BLOCKED_BY_RECIPIENT, **fields)
    assert decision.sentence == (Sentence(*scope, Cause.BLOCKED_BY_RECIPIENT, None) if scope else None)


@pytest.mark.parametrize("trust", Trust)
def test_unsubscribe_of_any_tier(trust: Trust) -> None:
    """A request is obeyed whoever brings it."""
    assert judged(Kind.UNSUBSCRIBE, trust=trust).effect is Effect.SUPPRESSED


@pytest.mark.parametrize(
    ("trust", "effects"),
    [
        (Trust.TOKEN, [Effect.SUPPRESSED, Effect.COUNTED]),
        (Trust.LOCAL, [Effect.SUPPRESSED, Effect.COUNTED]),
        (Trust.PLAUSIBLE, [Effect.COUNTED, Effect.SUPPRESSED]),
        (Trust.NONE, [Effect.RECORDED, Effect.RECORDED]),
    ],
)
def test_complaint_by_tier(trust: Trust, effects: list[Effect]) -> None:
    """An authenticated complaint suppresses at once, a plausible one needs a second message, another never does."""
    mailbox = Mailbox()
    for day in range(2):
        mailbox.get(event(None, day, kind=Kind.COMPLAINT, trust=trust))
    assert [each.effect for each in mailbox.decisions] == effects


@pytest.mark.parametrize("kinds", [(Kind.COMPLAINT, Kind.BOUNCE), (Kind.BOUNCE, Kind.COMPLAINT)])
def test_complaints_and_bounces_apart(kinds: tuple[Kind, Kind]) -> None:
    """A plausible complaint and a plausible hard bounce are not two of one kind."""
    mailbox = Mailbox()
    for day, kind in enumerate(kinds):
        category = Category.USER_UNKNOWN if kind is Kind.BOUNCE else None
        mailbox.get(event(category, day, kind=kind, trust=Trust.PLAUSIBLE))
    assert not mailbox.suppressed


def test_two_complaints_about_one_message() -> None:
    """Two plausible reports of one complaint are one."""
    mailbox = Mailbox()
    mailbox.get(*(event(None, day, "one", kind=Kind.COMPLAINT, trust=Trust.PLAUSIBLE) for day in range(3)))
    assert not mailbox.suppressed


@pytest.mark.parametrize(
    "key",
    [
        "postmaster@example.pl",
        "abuse@example.pl",
        "Postmaster@example.pl",
        "mailer-daemon@example.pl",
        "webmaster@example.pl",
        "hostmaster@example.pl",
        "ewa@example.com",
        "ewa@mail.example.com",
        "",
    ],
)
def test_never_taken_off(key: str) -> None:
    """Nobody can take off a role, or our own people."""
    decision = judged(Kind.UNSUBSCRIBE, address_key=key, address=key)
    assert (decision.effect, decision.sentence) == (Effect.RECORDED, None)


@pytest.mark.parametrize(
    "key", ["info@example.pl", "biuro@example.pl", "ewa@example.com.pl", "ewa@notexample.com", "abuse.team@example.pl"]
)
def test_taken_off(key: str) -> None:
    """Small firms read with info@, and a domain that only looks like ours is not ours."""
    assert judged(Kind.UNSUBSCRIBE, address_key=key, address=key).effect is Effect.SUPPRESSED


def test_taken_off_twice() -> None:
    """A second request changes nothing; one for another list does."""
    mailbox = Mailbox()
    request = {"kind": Kind.UNSUBSCRIBE}
    mailbox.get(event(None, 0, **listed(**request)))
    assert mailbox.get(event(None, 1, **listed(**request))).effect is Effect.RECORDED
    other = event(None, 2, returned=Returned(list_id="offers.example.com"), **request)
    assert mailbox.get(other).effect is Effect.SUPPRESSED


@pytest.mark.parametrize(
    ("kind", "category"),
    [(Kind.COMPLAINT, None), (Kind.BOUNCE, Category.BLOCKED_BY_RECIPIENT)],
    ids=["told", "blocked"],
)
def test_senders_are_counted_apart(kind: Kind, category: Category | None) -> None:
    """What is only plausible takes two messages of the same sender: a sentence never rests on another sender's."""
    mailbox = Mailbox()
    first, other, second = (
        event(category, days=day, kind=kind, trust=Trust.PLAUSIBLE, sender_domain=sender)
        for day, sender in ((0, SENDER), (1, "shop.example.pl"), (2, SENDER))
    )
    assert mailbox.get(first).watched == "1/2"
    assert mailbox.get(other).watched == "1/2"
    assert not mailbox.suppressed
    assert mailbox.get(second).effect is Effect.SUPPRESSED
    assert {slot[:2] for slot in mailbox.suppressed} == {(Scope.SENDER, SENDER)}


@pytest.mark.parametrize("kind", Kind)
def test_self_test(kind: Kind) -> None:
    """The doctor's own mail is recorded, but it counts for nothing and suppresses nobody, however sure the report."""
    decision = judged(kind, Category.USER_UNKNOWN, address_key=f"selftest-1a2b@{selftest.DOMAIN}")
    assert (decision.effect, decision.counts, decision.sentence) == (Effect.RECORDED, False, None)
    assert judged(Kind.BOUNCE, Category.USER_UNKNOWN, address_key="jan@x.selftest.bouncemilter.invalid.pl").counts

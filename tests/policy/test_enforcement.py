"""What is refused on its way out, by stream, scope and cause, and in which words."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from bouncemilter import classify, enforcement
from bouncemilter.classify import Reply
from bouncemilter.enforcement import RANKS, Mailing, Refusal, refusal
from bouncemilter.model import Category, Cause, Scope, Standing, Suppression
from bouncemilter.stream import Match, Stream, StreamKind

BULK = Stream("news", StreamKind.BULK, list_id="news.example.pl")
BILLS = Stream("bills", StreamKind.TRANSACTIONAL)
BILLS_TO_ALL = Stream("bills", StreamKind.TRANSACTIONAL, refuse_dead=False)
PERSONAL = Stream("people", StreamKind.PERSONAL)
NATURAL_SCOPE = {
    Cause.COMPLAINT: (Scope.SENDER, "example.pl"),
    Cause.BLOCKED_BY_RECIPIENT: (Scope.SENDER, "example.pl"),
    Cause.UNSUBSCRIBE: (Scope.LIST, "news.example.pl"),
}


def suppression(cause: Cause, scope: Scope | None = None, value: str = "", number: int = 1) -> Suppression:
    if scope is None:
        scope, value = NATURAL_SCOPE.get(cause, (Scope.GLOBAL, ""))
    at = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
    return Suppression(
        number,
        "jan@example.org",
        "Jan@example.org",
        scope,
        value,
        cause,
        at,
        None,
        "policy",
        category=Category.USER_UNKNOWN if cause is Cause.HARD else None,
        note="100 % pewne",
        diagnostic="550 5.1.1 %s\r\n250 ok",
    )


def refused(stream, *suppressions, to="jan@example.org", sender_domain="example.pl", list_id="", unconfirmed=False):
    standing = Standing(tuple(suppressions), unconfirmed=unconfirmed)
    found = refusal(standing, to, stream, sender_domain=sender_domain, list_id=list_id)
    return found and (found.suppression.cause if found.suppression else "unconfirmed")


@pytest.mark.parametrize("cause", Cause)
def test_each_cause(cause):
    """Bulk mail honours each cause; bills pass who has unsubscribed, and dead mailboxes if set; people's mail all."""
    found = suppression(cause)
    dead = cause in (Cause.HARD, Cause.SOFT)
    assert refused(BULK, found) is cause
    assert refused(BILLS, found, list_id="news.example.pl") is (None if cause is Cause.UNSUBSCRIBE else cause)
    passed = dead or cause is Cause.UNSUBSCRIBE
    assert refused(BILLS_TO_ALL, found, list_id="news.example.pl") is (None if passed else cause)
    assert refused(PERSONAL, found) is None


def test_an_opt_out_of_all_mail_is_none_of_bills():
    """Who has unsubscribed from all that a sender writes, or from everything, still gets bills."""
    narrow = suppression(Cause.UNSUBSCRIBE, Scope.SENDER, "example.pl")
    wide = suppression(Cause.UNSUBSCRIBE, Scope.GLOBAL)
    assert refused(BILLS, narrow, wide) is None
    assert refused(BULK, narrow) is refused(BULK, wide) is Cause.UNSUBSCRIBE


@pytest.mark.parametrize(
    ("scope", "value", "sender_domain", "list_id", "reaches"),
    [
        (Scope.GLOBAL, "", "", "", True),
        (Scope.SENDER, "example.pl", "example.pl", "", True),
        (Scope.SENDER, "example.pl", "sklep.example.pl", "", False),
        (Scope.SENDER, "example.pl", "", "example.pl", False),
        (Scope.SENDER, "", "", "", False),
        (Scope.LIST, "a.example.pl", "example.pl", "A.example.pl", True),
        (Scope.LIST, "a.example.pl", "example.pl", "b.example.pl", False),
        (Scope.LIST, "", "example.pl", "", False),
    ],
)
def test_scopes(scope, value, sender_domain, list_id, reaches):
    """A narrow suppression reaches its own sender or list, and what has no name is nobody's."""
    found = suppression(Cause.MANUAL, scope, value)
    assert enforcement.applies(found, sender_domain=sender_domain, list_id=list_id) is reaches


def test_list_of_the_stream():
    """The message's own List-ID counts where it is known, else that of its stream."""
    found = suppression(Cause.UNSUBSCRIBE)
    assert refused(BULK, found) is Cause.UNSUBSCRIBE
    assert refused(BULK, found, list_id="other.example.pl") is None
    assert refused(BILLS, found) is None


@pytest.mark.parametrize("to", ["postmaster@example.org", "abuse@example.org", "Abuse@example.org"])
def test_never_refused(to):
    """Postmaster and abuse are reached whatever is known of them, also while the store is down."""
    assert refused(BULK, suppression(Cause.HARD), to=to) is None
    assert refused(BULK, to=to, unconfirmed=True) is None


def test_strongest():
    """Of several the weightiest cause is told, of equal ones the oldest; of none, none."""
    causes = [Cause.SOFT, Cause.UNSUBSCRIBE, Cause.COMPLAINT, Cause.HARD]
    assert refused(BULK, *map(suppression, causes)) is Cause.HARD
    assert refused(BILLS_TO_ALL, *map(suppression, causes)) is Cause.COMPLAINT
    two = [suppression(Cause.HARD, number=5), suppression(Cause.HARD, number=3)]
    assert enforcement.strongest(two).id == 3
    assert enforcement.strongest([]) is None


@pytest.mark.parametrize("stream", [BULK, BILLS, BILLS_TO_ALL, PERSONAL])
@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("scope", [("global", ""), ("sender", "b.test"), ("sender", "c.test"), ("list", "news.test")])
def test_a_mailing_is_held_against_the_same(stream, cause, scope):
    """Before a mailing is sent, the same suppressions refuse it as at its RCPT, of whichever sender it will be."""
    found = suppression(cause, Scope(scope[0]), scope[1])
    senders = "a.test", "b.test"
    expected = any(refused(stream, found, sender_domain=each, list_id="news.test") for each in senders)
    rank = Mailing(stream, senders, "news.test").rank(found.scope, found.scope_value, cause)
    assert (rank is not None) is expected
    assert rank is None or RANKS[rank] is cause


def test_every_cause_has_its_rank():
    """None is missing among those that are told of, and none stands there twice."""
    assert sorted(RANKS) == sorted(Cause)


@pytest.mark.parametrize(
    ("match", "scope", "expected"),
    [
        (Match(), ("global", ""), True),
        (Match(), ("sender", "a.test"), False),
        (Match(sender_domain=("a.test",)), ("sender", "a.test"), True),
        (Match(sender=("news@A.test",)), ("sender", "a.test"), True),
        (Match(sender_domain=("a.test", "b.test")), ("sender", "a.test"), False),
        (Match(), ("list", "news.example.pl"), True),
    ],
)
def test_refused_whoever_sends(match, scope, expected):
    """A table that is not told the sender refuses only what the stream refuses for each sender that it may have."""
    found = suppression(Cause.MANUAL, Scope(scope[0]), scope[1])
    certain = enforcement.certain_refusal("jan@example.org", (found,), replace(BULK, match=match))
    assert (certain is not None) is expected
    assert enforcement.certain_refusal("abuse@example.org", (found,), None) is None
    assert (enforcement.certain_refusal("jan@example.org", (found,), None) is not None) is (scope[0] == "global")


def test_unconfirmed():
    """While the store is down, what is suppressed for all mail is refused, but by a stream that writes to the dead."""
    assert [refused(each, unconfirmed=True) for each in (BULK, BILLS, BILLS_TO_ALL, PERSONAL)] == [
        "unconfirmed",
        "unconfirmed",
        None,
        None,
    ]


def test_words():
    """A stranger learns nothing but that it is refused; who is known learns cause, category and day."""
    known = Refusal(suppression(Cause.HARD))
    plain = "suppressed: bouncemilter sends nothing to this address"
    assert known.text(authenticated=False) == Refusal(None).text(authenticated=True) == plain
    assert known.text(authenticated=True) == f"{plain} (hard, user_unknown, since 2026-01-05)"
    assert Refusal(suppression(Cause.MANUAL)).text(authenticated=True) == f"{plain} (manual, since 2026-01-05)"


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("category", [None, *Category])
def test_words_come_back(cause, category):
    """Every refusal fits a reply line, holds no `%`, and is known as ours when another server brings it back."""
    found = suppression(cause)
    text = Refusal(
        Suppression(1, found.address_key, "", found.scope, "%0a", cause, found.created_at, None, "", category=category)
    ).text(authenticated=True)
    assert text.isascii()
    assert text.isprintable()
    assert "%" not in text
    assert len(f"550 5.7.1 {text}\r\n") <= 512  # RFC 5321 section 4.5.3.1.5
    for said in (
        f"{enforcement.REPLY_CODE} {enforcement.STATUS} {text}",
        f"host mail.example.pl[192.0.2.1] said: 550 5.7.1 {text} (in reply to RCPT TO command)",
        f"554 5.7.1 <jan@example.org>: Recipient address rejected: {text}",
    ):
        ruling = classify.builtin().rule(Reply(said))
        assert (ruling.rule, ruling.already_suppressed) == ("own.refusal", True)

"""The default treatment of TAXONOMY's table: every category, at every tier, forwarded and not."""

from __future__ import annotations

import itertools

import pytest

from bouncemilter.model import CLASS_OF, Category, Cause, Class, Effect, Scope, Trust
from tests.policy.cases import HARD, SOFT, Mailbox, event

NEVER = 0
MESSAGES = {
    # Written out, so that a change of the table in the code is seen here: messages that suppress, of an authenticated
    # report about the very address.
    Category.USER_UNKNOWN: 1,
    Category.DOMAIN_NOT_FOUND: 2,
    Category.DOMAIN_NO_MAIL: 1,
    Category.ADDRESS_SYNTAX: 1,
    Category.MAILBOX_DISABLED: 2,
    Category.MAILBOX_OWNER_CHANGED: 1,
    Category.BLOCKED_BY_RECIPIENT: 1,
    Category.HARD_OTHER: 2,
    Category.MAILBOX_FULL: 4,
    Category.HOST_NOT_RESPONDING: 4,
    Category.DELIVERY_TIMEOUT: 4,
    Category.MAIL_LOOP: 4,
    Category.ROUTING_ERROR: 4,
    Category.REMOTE_SYSTEM_ERROR: 4,
    Category.GREYLISTED: NEVER,
    Category.SOFT_OTHER: 4,
    Category.MESSAGE_TOO_BIG: NEVER,
    Category.CONTENT_BLOCKED: NEVER,
    Category.ATTACHMENT_OR_VIRUS: NEVER,
    Category.BLOCKLISTED: NEVER,
    Category.BLOCKED_BY_PROVIDER: NEVER,
    Category.SENDER_REPUTATION: NEVER,
    Category.RATE_LIMITED: NEVER,
    Category.DMARC_FAILED: NEVER,
    Category.SENDER_AUTH_FAILED: NEVER,
    Category.MISSING_PTR: NEVER,
    Category.RELAY_DENIED: NEVER,
    Category.SENDER_REJECTED: NEVER,
    Category.TLS_REQUIRED: NEVER,
    Category.POLICY_OTHER: NEVER,
    Category.PROTOCOL_ERROR: NEVER,
    Category.EAI_UNSUPPORTED: NEVER,
}


def _expected(category: Category, trust: Trust, *, forwarded: bool) -> int:
    messages = MESSAGES[category]
    if trust is Trust.NONE or messages == NEVER:
        return NEVER
    return 2 if messages == 1 and (trust is Trust.PLAUSIBLE or forwarded) else messages


def test_table_is_whole() -> None:
    """Every category has its row."""
    assert set(MESSAGES) == set(Category)


@pytest.mark.parametrize(("category", "trust", "forwarded"), list(itertools.product(Category, Trust, (False, True))))
def test_default(category: Category, trust: Trust, forwarded: bool) -> None:
    """A category suppresses at the message of its row: `plausible` and `forwarded` need two, `none` never counts."""
    mailbox = Mailbox()
    needed = _expected(category, trust, forwarded=forwarded)
    decisions = [mailbox.get(event(category, days, trust=trust, forwarded=forwarded)) for days in range(6)]
    for number, decision in enumerate(decisions, start=1):
        if needed == NEVER:
            assert (decision.effect, decision.counts, decision.sentence) == (Effect.RECORDED, False, None)
        elif number == needed:
            assert (decision.effect, decision.counts) == (Effect.SUPPRESSED, True)
        else:
            assert (decision.effect, decision.counts, decision.sentence) == (Effect.COUNTED, True, None)
            assert decision.watched == (f"{number}/{needed}" if number < needed else "")
    if needed == NEVER:
        assert not mailbox.suppressed
    elif category is Category.BLOCKED_BY_RECIPIENT:
        assert mailbox.suppressed == {(Scope.SENDER, "example.com", Cause.BLOCKED_BY_RECIPIENT)}
    else:
        assert mailbox.suppressed == {HARD if CLASS_OF[category] is Class.HARD else SOFT}


@pytest.mark.parametrize(
    ("trust", "forwarded", "messages"),
    [(Trust.TOKEN, False, 1), (Trust.LOCAL, False, 1), (Trust.PLAUSIBLE, False, 2), (Trust.TOKEN, True, 2)],
)
def test_closed_for_good(trust: Trust, forwarded: bool, messages: int) -> None:
    """A disabled mailbox that will not come back suppresses at once, where that category may."""
    mailbox = Mailbox()
    for days in range(messages):
        assert not mailbox.suppressed
        mailbox.get(
            event(Category.MAILBOX_DISABLED, days, trust=trust, forwarded=forwarded, closed_for_good=True),
        )
    assert mailbox.suppressed == {HARD}


@pytest.mark.parametrize("category", [each for each in Category if MESSAGES[each] != NEVER])
def test_already_suppressed(category: Category) -> None:
    """A relay's own suppression list teaches nothing about the mailbox: never counted, however often it answers."""
    mailbox = Mailbox()
    decision = mailbox.get(*(event(category, days, already_suppressed=True) for days in range(6)))
    assert (decision.effect, decision.counts) == (Effect.RECORDED, False)
    assert not mailbox.suppressed


def test_no_address() -> None:
    """A failure that names nobody counts for nobody."""
    decision = Mailbox().get(event(address_key="", address=""))
    assert (decision.effect, decision.counts) == (Effect.RECORDED, False)


def test_no_category() -> None:
    """A bounce that nobody classified is kept, and counts for nothing."""
    decision = Mailbox().get(event(None))
    assert (decision.effect, decision.counts) == (Effect.RECORDED, False)

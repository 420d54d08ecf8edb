"""Counting: windows, messages, spacing, successes, presets, settings."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from bouncemilter import policy
from bouncemilter.model import Category, Effect, Event, History, Kind, Mark, Trust
from bouncemilter.policy import Preset, Rules
from tests.policy.cases import HARD, SOFT, STANDARD, Mailbox, at, event

FULL = Category.MAILBOX_FULL
HARD_OTHER = Category.HARD_OTHER
WINDOW = 32 * 86_400


def soft(days: float, message: str = "", **fields: object) -> Event:
    return event(FULL, days, message, **fields)


def hard(days: float, message: str = "", **fields: object) -> Event:
    return event(HARD_OTHER, days, message, **fields)


@pytest.mark.parametrize(
    ("days", "suppressed"),
    [
        ((0, 10, 20, 31), True),
        ((0, 10, 20, 32), True),
        ((0, 10, 20, 33), False),
        ((0, 1, 2), False),
        ((0, 1, 2, 3), True),
    ],
)
def test_soft_window(days: tuple[float, ...], suppressed: bool) -> None:
    """Four soft messages within 32 days suppress, at the fourth."""
    mailbox = Mailbox()
    decision = mailbox.get(*(soft(day) for day in days))
    assert [each.effect for each in mailbox.decisions[:-1]] == [Effect.COUNTED] * (len(days) - 1)
    assert decision.effect is (Effect.SUPPRESSED if suppressed else Effect.COUNTED)
    assert mailbox.suppressed == ({SOFT} if suppressed else set())


@pytest.mark.parametrize(("seconds", "suppressed"), [(WINDOW - 1, True), (WINDOW, True), (WINDOW + 1, False)])
@pytest.mark.parametrize("category", [FULL, HARD_OTHER])
def test_window_to_the_second(category: Category, seconds: int, suppressed: bool) -> None:
    """The newest lies exactly 32 × 86,400 s after the oldest, or it does not count with it."""
    middle = (10, 20) if category is FULL else ()
    last = event(category, message="last", at=at(seconds=seconds))
    decision = Mailbox().get(event(category), *(event(category, day) for day in middle), last)
    assert decision.effect is (Effect.SUPPRESSED if suppressed else Effect.COUNTED)


def test_rolling_window() -> None:
    """What has left the window is not counted, and what is in it still is."""
    decision = Mailbox().get(*(soft(day) for day in (0, 15, 30, 45, 60)))
    assert decision.watched == "3/4"
    assert Mailbox().get(*(soft(day) for day in (0, 15, 30, 45, 46))).effect is Effect.SUPPRESSED


@pytest.mark.parametrize("last", [0, 10, 20, 31])
def test_late_reports(last: int) -> None:
    """Four within 32 days suppress whichever is reported last, and whatever came after them before that."""
    days = [day for day in (0, 10, 20, 31, 60, 61) if day != last]
    mailbox = Mailbox()
    mailbox.get(*(soft(day) for day in days))
    assert not mailbox.suppressed
    assert mailbox.get(soft(last)).effect is Effect.SUPPRESSED


def test_late_report_outside() -> None:
    """An old report that comes late is not counted with what is too far from it."""
    mailbox = Mailbox()
    assert mailbox.get(soft(33), soft(34), soft(35), soft(0)).watched == "1/4"


def test_soft_categories_together() -> None:
    """All soft categories are counted together."""
    categories = (FULL, Category.HOST_NOT_RESPONDING, Category.MAIL_LOOP, Category.SOFT_OTHER)
    mailbox = Mailbox()
    assert mailbox.get(*(event(each, day) for day, each in enumerate(categories))).effect is Effect.SUPPRESSED


def test_hard_categories_together() -> None:
    """All counted hard categories are counted together, and never with the soft ones."""
    assert Mailbox().get(event(Category.DOMAIN_NOT_FOUND), hard(1)).effect is Effect.SUPPRESSED
    mailbox = Mailbox()
    mailbox.get(soft(0), soft(1), soft(2), hard(3))
    assert not mailbox.suppressed


def test_blocked_by_recipient_is_no_sign_of_death() -> None:
    """A person who blocks one sender has a living mailbox: that never counts towards a global suppression."""
    blocked = event(Category.BLOCKED_BY_RECIPIENT, 0)
    assert Mailbox().get(blocked, hard(1)).watched == "1/2"


@pytest.mark.parametrize("make", [soft, hard])
def test_reports_on_one_message(make: type) -> None:
    """However many reports there are on one message, it counts once."""
    mailbox = Mailbox()
    decision = mailbox.get(*(make(day, message="one") for day in range(8)))
    assert decision.watched.startswith("1/")
    assert not mailbox.suppressed


def test_four_messages_within_an_hour() -> None:
    """A newsletter in four parts to a full mailbox counts once."""
    mailbox = Mailbox()
    decision = mailbox.get(*(soft(minutes / 1440) for minutes in (0, 20, 40, 59)))
    assert decision.watched == "1/4"


@pytest.mark.parametrize(("seconds", "watched"), [(86_399, "1/4"), (86_400, "2/4"), (86_401, "2/4")])
def test_spacing_to_the_second(seconds: int, watched: str) -> None:
    """Soft messages 24 hours apart are two."""
    assert Mailbox().get(soft(0), soft(0, "later", at=at(seconds=seconds))).watched == watched


def test_spacing_is_of_what_counts() -> None:
    """The spacing runs from the last message that counted, so a daily drip of many still adds up."""
    decision = Mailbox().get(*(soft(hours / 24) for hours in (0, 12, 24, 36, 48, 60)))
    assert decision.watched == "3/4"


def test_report_after_spacing() -> None:
    """A message that was too close to another does not count later by a second report on it."""
    assert Mailbox().get(soft(0), soft(0.5, "close"), soft(1.5, "close")).watched == "1/4"


def test_hard_messages_need_no_spacing() -> None:
    """Two messages within one hour that fail for good are two."""
    assert Mailbox().get(hard(0), hard(0.01)).effect is Effect.SUPPRESSED


def test_hard_replaces_soft() -> None:
    """A later hard verdict on the same message takes its soft mark away."""
    mailbox = Mailbox()
    mailbox.get(soft(0), soft(2), soft(4, "dying"), hard(5, "dying"))
    assert mailbox.get(soft(6)).watched == "3/4"
    assert not mailbox.suppressed


def test_soft_after_hard_on_one_message() -> None:
    """A soft verdict that comes after the hard one on the same message adds nothing."""
    mailbox = Mailbox()
    assert mailbox.get(hard(0, "one"), soft(1, "one")).watched == "0/4"


@pytest.mark.parametrize("kind", [Kind.DELIVERED, Kind.RECEIPT, Kind.AUTO_REPLY])
def test_success_resets_soft(kind: Kind) -> None:
    """A sign of life starts the soft count anew."""
    mailbox = Mailbox()
    success = event(None, 2.5, kind=kind)
    assert mailbox.get(soft(0), soft(1), soft(2), success).effect is Effect.SUCCESS
    assert mailbox.get(soft(3)).watched == "1/4"
    assert mailbox.get(soft(4), soft(5), soft(6)).effect is Effect.SUPPRESSED


def test_success_and_failure_at_once() -> None:
    """A failure of the very moment of a sign of life does not count against the mailbox."""
    mailbox = Mailbox()
    assert mailbox.get(event(None, 1, kind=Kind.DELIVERED), soft(1)).watched == "0/4"


def test_success_never_resets_hard() -> None:
    """A sign of life does not undo a hard failure."""
    assert Mailbox().get(hard(0), event(None, 1, kind=Kind.DELIVERED), hard(2)).effect is Effect.SUPPRESSED


@pytest.mark.parametrize(
    ("trust", "require", "effect"),
    [
        (Trust.TOKEN, Trust.PLAUSIBLE, Effect.SUCCESS),
        (Trust.PLAUSIBLE, Trust.PLAUSIBLE, Effect.SUCCESS),
        (Trust.NONE, Trust.PLAUSIBLE, Effect.RECORDED),
        (Trust.NONE, Trust.NONE, Effect.RECORDED),
        (Trust.PLAUSIBLE, Trust.LOCAL, Effect.RECORDED),
        (Trust.LOCAL, Trust.LOCAL, Effect.SUCCESS),
    ],
)
def test_success_by_tier(trust: Trust, require: Trust, effect: Effect) -> None:
    """Only a sign of life of a tier that may count resets anything: else anybody could keep a dead address alive."""
    mailbox = Mailbox(dataclasses.replace(STANDARD, require=require))
    decision = mailbox.get(event(None, kind=Kind.DELIVERED, trust=trust))
    assert (decision.effect, decision.counts) == (effect, False)


def test_success_of_nobody() -> None:
    """A success report that names nobody is no sign of anybody's life."""
    assert Mailbox().get(event(None, kind=Kind.DELIVERED, address_key="")).effect is Effect.RECORDED


@pytest.mark.parametrize("kind", [Kind.DELAYED, Kind.CHALLENGE, Kind.REPORT, Kind.MAIL])
def test_kinds_that_never_count(kind: Kind) -> None:
    """A delay is no failure, and a challenge, a report or a mail says nothing about the mailbox."""
    mailbox = Mailbox()
    decision = mailbox.get(*(event(Category.USER_UNKNOWN, day, kind=kind) for day in range(5)))
    assert (decision.effect, decision.counts, decision.sentence) == (Effect.RECORDED, False, None)


@pytest.mark.parametrize(
    ("require", "counting"),
    [
        (Trust.TOKEN, {Trust.TOKEN}),
        (Trust.LOCAL, {Trust.TOKEN, Trust.LOCAL}),
        (Trust.PLAUSIBLE, {Trust.TOKEN, Trust.LOCAL, Trust.PLAUSIBLE}),
        (Trust.NONE, {Trust.TOKEN, Trust.LOCAL, Trust.PLAUSIBLE}),
    ],
)
def test_require(require: Trust, counting: set[Trust]) -> None:
    """`require` is the lowest tier that counts; `none` never does, whatever stands there."""
    rules = dataclasses.replace(STANDARD, require=require)
    found = {trust for trust in Trust if Mailbox(rules).get(event(trust=trust)).counts}
    assert found == counting


def test_require_made_stricter() -> None:
    """Marks of a tier that may not count any more do not help to suppress."""
    weak = Mark(at(0), "mid:<weak@example.com>", HARD_OTHER, Trust.PLAUSIBLE)
    rules = dataclasses.replace(STANDARD, require=Trust.TOKEN)
    decision = policy.decide(hard(1), History((weak,)), rules)
    assert (decision.effect, decision.watched) == (Effect.COUNTED, "1/2")


@pytest.mark.parametrize(
    ("category", "trust"),
    [
        (HARD_OTHER, Trust.NONE),
        (Category.POLICY_OTHER, Trust.TOKEN),
        (FULL, Trust.NONE),
        (Category.GREYLISTED, Trust.TOKEN),
    ],
)
def test_marks_that_never_counted(category: Category, trust: Trust) -> None:
    """A history that holds what may not count is not made worse by it."""
    marks = tuple(Mark(at(day), f"mid:<{day}x@example.com>", category, trust) for day in range(6))
    for rules in (STANDARD, dataclasses.replace(STANDARD, require=Trust.NONE)):
        assert policy.decide(hard(7), History(marks), rules).watched == "1/2"
        assert policy.decide(soft(7), History(marks), rules).watched == "1/4"


@pytest.mark.parametrize(
    ("rules", "events", "watched"),
    [
        (Rules(Preset.STANDARD, hard_messages=1), [hard(0)], ""),
        (Rules(Preset.STANDARD, hard_messages=3), [hard(0), hard(1)], "2/3"),
        (Rules(Preset.STANDARD, hard_messages=3), [event()], ""),
        (Rules(Preset.STANDARD, soft_messages=1), [soft(0)], ""),
        (Rules(Preset.STANDARD, soft_messages=2), [soft(0), soft(1)], ""),
        (Rules(Preset.STANDARD, window=dt.timedelta(days=7)), [hard(0), hard(8)], "1/2"),
        (Rules(Preset.STANDARD, soft_spacing=dt.timedelta(hours=1)), [soft(0), soft(0.05)], "2/4"),
    ],
)
def test_settings(rules: Rules, events: list[Event], watched: str) -> None:
    """The operator's own numbers are obeyed."""
    mailbox = Mailbox(rules)
    assert mailbox.get(*events).watched == watched
    assert bool(mailbox.suppressed) == (watched == "")


@pytest.mark.parametrize("category", [FULL, HARD_OTHER, Category.USER_UNKNOWN, Category.BLOCKED_BY_RECIPIENT])
@pytest.mark.parametrize("weak", [{"trust": Trust.PLAUSIBLE}, {"forwarded": True}])
def test_never_alone(category: Category, weak: dict[str, object]) -> None:
    """Whatever the operator's numbers are, what anybody could have written, or is another's, never suppresses alone."""
    mailbox = Mailbox(Rules(Preset.STANDARD, hard_messages=1, soft_messages=1))
    assert mailbox.get(event(category, **weak)).watched == "1/2"
    assert mailbox.get(event(category, 2, **weak)).effect is Effect.SUPPRESSED


def test_plausible_then_token() -> None:
    """A report with a valid token suppresses at once, whatever was said before about the same message."""
    mailbox = Mailbox()
    mailbox.get(event(message="one", trust=Trust.PLAUSIBLE))
    assert mailbox.get(event(days=1, message="one")).effect is Effect.SUPPRESSED


def test_expiry() -> None:
    """Soft suppressions end after 90 days; hard ones never."""
    soft_one = Mailbox().get(*(soft(day) for day in (0, 10, 20, 31))).sentence
    hard_one = Mailbox().get(event()).sentence
    assert soft_one
    assert hard_one
    assert soft_one.expires_at == at(31 + 90)
    assert hard_one.expires_at is None


def test_expiry_of_late_report() -> None:
    """Where an old report comes last, the 90 days run from the newest failure."""
    sentence = Mailbox().get(soft(10), soft(20), soft(31), soft(0)).sentence
    assert sentence
    assert sentence.expires_at == at(31 + 90)


def test_already_suppressed_address() -> None:
    """A suppressed address is not suppressed again, and a dead one not for being full as well."""
    mailbox = Mailbox()
    mailbox.get(event())
    decision = mailbox.get(*(soft(day) for day in range(1, 7)))
    assert (decision.effect, decision.sentence) == (Effect.COUNTED, None)
    assert mailbox.suppressed == {HARD}


def test_hard_after_soft() -> None:
    """An address suppressed for a time is suppressed for good once it is dead."""
    mailbox = Mailbox()
    mailbox.get(*(soft(day) for day in range(4)), event(days=5))
    assert mailbox.suppressed == {SOFT, HARD}


def test_expired_suppression() -> None:
    """After a suppression has ended, the next failures are counted from one."""
    mailbox = Mailbox()
    mailbox.get(*(soft(day) for day in range(4)))
    mailbox.history = dataclasses.replace(mailbox.history, suppressed=frozenset())
    assert mailbox.get(soft(100)).watched == "1/4"


def test_hard_only() -> None:
    """The preset hard-only watches soft failures and suppresses hard ones."""
    mailbox = Mailbox(Rules())
    assert mailbox.rules.preset is Preset.HARD_ONLY
    decision = mailbox.get(*(soft(day) for day in range(9)))
    assert (decision.effect, decision.counts, decision.sentence, decision.watched) == (
        Effect.COUNTED,
        True,
        None,
        "9/4",
    )
    assert mailbox.get(event(days=10)).effect is Effect.SUPPRESSED


@pytest.mark.parametrize(
    "last",
    [
        event(),
        event(None, kind=Kind.UNSUBSCRIBE),
        event(None, kind=Kind.COMPLAINT),
        event(Category.BLOCKED_BY_RECIPIENT),
    ],
)
def test_observe(last: Event) -> None:
    """The preset observe suppresses nothing, and keeps what would have been done."""
    decision = Mailbox(Rules(Preset.OBSERVE)).get(last)
    suppressing = Mailbox().get(last)
    assert suppressing.effect is Effect.SUPPRESSED
    assert decision.effect is Effect.COUNTED
    assert (decision.sentence, decision.counts) == (suppressing.sentence, suppressing.counts)
    assert "would suppress" in decision.reason


def test_observe_soft() -> None:
    """In the preset observe the fourth soft message would suppress, and does not."""
    mailbox = Mailbox(Rules(Preset.OBSERVE))
    decision = mailbox.get(*(soft(day) for day in range(4)))
    assert decision.sentence
    assert (decision.effect, mailbox.suppressed) == (Effect.COUNTED, frozenset())


def test_reason() -> None:
    """The reason is a line for people: what, how many of how many, in which time, by which evidence."""
    reason = Mailbox().get(soft(0), soft(1, trust=Trust.PLAUSIBLE, forwarded=True)).reason
    assert reason == "soft, message 2 of 4 within 32 days (trust plausible, forwarded)"
    assert Mailbox().get(event()).reason == "hard, message 1 of 1 (trust token)"

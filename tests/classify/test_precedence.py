"""Precedence: texts over codes, the phase, block over hard, and codes alone."""

import dataclasses

import pytest

from bouncemilter import classify
from bouncemilter.classify import Reply
from bouncemilter.classify.reply import Codes, codes_of
from bouncemilter.model import Action, Category, Class, Kind, Phase, Report, ReportedRecipient


def _rule(text: str, **fields: object) -> str:
    return classify.builtin().rule(Reply(text, **fields)).category  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("550 5.1.1 <a@example.com> too many recipients this hour", "rate_limited"),
        ("550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents more", "rate_limited"),
        ("550 5.4.1 Recipient address rejected: Access denied", "user_unknown"),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", "user_unknown"),
        ("552 5.1.1 recipient over quota", "mailbox_full"),
        ("550 5.1.1 User unknown; your host is blocked using bl.example.net", "blocklisted"),
    ],
)
def test_a_text_beats_its_code(text: str, category: str) -> None:
    """Codes lie in both directions; the words decide."""
    assert _rule(text) == category


@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.EHLO, Phase.MAIL])
@pytest.mark.parametrize(
    "text",
    [
        "550 5.1.1 User unknown",
        "550 5.2.1 mailbox disabled",
        "552 5.2.2 mailbox full",
        "550 5.1.2 Domain not found",
        "550",
        "550 5.1.1",
        "554 Access denied",
    ],
)
def test_an_answer_to_the_sender_is_never_the_recipients_fault(phase: Phase, text: str) -> None:
    """What was said in reply to connect, EHLO or MAIL is of class block, whatever it says of recipients."""
    wanted = "sender_rejected" if phase is Phase.MAIL else "blocked_by_provider"
    assert _rule(text, phase=phase) == wanted


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("552 5.3.4 Message size exceeds fixed limit", "message_too_big"),
        ("554 5.7.1 blocked using zen.spamhaus.org", "blocklisted"),
        ("550 5.7.25 no PTR record", "missing_ptr"),
        ("421 too many connections", "rate_limited"),
        ("552 5.3.4", "message_too_big"),
    ],
)
def test_a_clear_answer_to_mail_from_keeps_its_category(text: str, category: str) -> None:
    """Where the answer speaks of size, rate, block list or reverse DNS, it is that category."""
    assert _rule(text, phase=Phase.MAIL) == category


def test_the_phase_is_read_from_the_text() -> None:
    """Postfix writes the phase behind the reply."""
    text = (
        "host mx.example.net[192.0.2.1] said: 550 5.1.1 <b@example.org>: User unknown (in reply to MAIL FROM command)"
    )
    assert _rule(text) == "sender_rejected"
    assert _rule(text.replace("MAIL FROM", "RCPT TO")) == "user_unknown"


@pytest.mark.parametrize(
    ("text", "status", "reply_code", "codes"),
    [
        ("550 5.1.1 no", "5.0.0", "", Codes("5.1.1", "550")),
        ("552 no", "5.2.2", "", Codes("5.2.2", "552")),
        ("450 no", "5.0.0", "550", Codes("", "450")),
        ("no", "5.1.1", "550", Codes("5.1.1", "550")),
        ("host x said: 554 5.7.1 no", "", "", Codes("5.7.1", "554")),
        ("sorry (#5.1.1)", "5.0.0", "", Codes("5.1.1", "")),
        ("no code at all", "", "", Codes("", "")),
    ],
)
def test_codes_of_the_text_beat_those_of_the_report(text: str, status: str, reply_code: str, codes: Codes) -> None:
    """Diagnostic-Code beats Status where they disagree."""
    assert codes_of(text, status, reply_code) == codes


@pytest.mark.parametrize(
    ("status", "reply_code", "category"),
    [
        ("", "550", "hard_other"),
        ("", "554", "hard_other"),
        ("5.0.0", "", "hard_other"),
        ("5.1.1", "550", "user_unknown"),
        ("5.1.2", "", "domain_not_found"),
        ("5.1.10", "", "domain_no_mail"),
        ("5.2.1", "", "mailbox_disabled"),
        ("5.2.2", "", "mailbox_full"),
        ("", "552", "mailbox_full"),
        ("5.2.3", "", "message_too_big"),
        ("5.3.4", "", "message_too_big"),
        ("5.4.4", "", "routing_error"),
        ("5.4.7", "", "delivery_timeout"),
        ("5.7.1", "", "policy_other"),
        ("", "421", "soft_other"),
        ("", "450", "soft_other"),
        ("", "451", "soft_other"),
        ("", "", "soft_other"),
    ],
)
def test_codes_alone(status: str, reply_code: str, category: str) -> None:
    """Without usable words the codes decide, and the rule says that it was only they."""
    for text in ("", f"{reply_code} {status}".strip()):
        ruling = classify.builtin().rule(Reply(text, status=status, reply_code=reply_code))
        assert ruling.category == category
        assert ruling.rule.startswith("fallback.")


def test_exchange_says_5_1_10_for_an_unknown_recipient() -> None:
    """5.1.10 is a null MX (RFC 7505), except where Exchange reports."""
    assert _rule("", status="5.1.10", reporting_mta="AM0PR.eurprd.prod.outlook.com") == "user_unknown"


def test_the_provider_is_known_by_its_host() -> None:
    """A reply that says little is read as its provider means it, and the cache keeps the two apart."""
    ruling = classify.builtin().rule(Reply("550 5.1.1 Konto nie istnieje", remote_host="mx.poczta.onet.pl"))
    assert ruling.rule == "poland.user_unknown"
    assert classify.builtin().rule(Reply("550 5.1.1 Konto nie istnieje")).rule != "poland.user_unknown"


def test_a_greylisted_message_that_was_given_up_had_been_tried_for_days() -> None:
    """A final failure on a 4xx greylisting is delivery_timeout; a delay, and a 5xx, stay greylisted."""
    text = "450 4.2.0 <a@example.com>: Recipient address rejected: Greylisted"
    assert _rule(text, action=Action.FAILED) == "delivery_timeout"
    assert _rule(text, action=Action.DELAYED) == "greylisted"
    assert _rule(text.replace("450 4", "550 5"), action=Action.FAILED) == "greylisted"


def test_a_verdict_rules_failed_and_delayed_recipients_only() -> None:
    """Delivered recipients have no ruling; failed and delayed ones, and those of a bounce without action, have one."""
    recipients = (
        ReportedRecipient("a@example.com", Action.FAILED, diagnostic="550 5.1.1 User unknown"),
        ReportedRecipient("b@example.com", Action.DELIVERED, status="2.0.0"),
        ReportedRecipient("c@example.com", Action.DELAYED, diagnostic="452 4.2.2 over quota"),
        ReportedRecipient("d@example.com", None, status="5.2.1"),
    )
    verdict = classify.builtin().verdict(Report(Kind.BOUNCE, recipients))
    found = [each.ruling.category if each.ruling else None for each in verdict.recipients]
    assert found == [Category.USER_UNKNOWN, None, Category.MAILBOX_FULL, Category.MAILBOX_DISABLED]
    complaint = classify.builtin().verdict(Report(Kind.COMPLAINT, recipients[3:]))
    assert complaint.recipients[0].ruling is None


def test_flags_come_with_the_ruling() -> None:
    """A mailbox closed for good, and a relay's own suppression list, are told."""
    assert classify.builtin().rule(Reply("550 5.2.1 This account has been permanently disabled")).closed_for_good
    assert classify.builtin().rule(Reply("550 Recipient is on our suppression list")).already_suppressed
    assert classify.builtin().rule(Reply("550 5.7.1 bouncemilter: suppressed")).already_suppressed


def test_the_cache_changes_nothing() -> None:
    """A ruling asked for again, and one worked out anew, are equal but for the retry time, which is no template's."""
    classifier = classify.builtin()
    for rule in classifier.rules:
        for example in rule.examples:
            ruling = dataclasses.replace(classifier.rule(example), retry_after=None)
            assert ruling == classifier.decide(classifier.case(example))


@pytest.mark.parametrize("text", ["550 5.7.1", "smtp;550", "5.7.1 (delivery)"])
def test_policy_codes_are_blocks(text: str) -> None:
    """A bare 5.7.1 is the sender's problem, a bare 550 the recipient's."""
    assert classify.builtin().rule(Reply(text)).class_ is (Class.HARD if text == "smtp;550" else Class.BLOCK)


def test_a_text_without_a_code_is_read_as_if_it_had_been_refused_for_good() -> None:
    """Unless the report says that delivery is still being tried."""
    rule = classify.builtin().rule
    assert rule(Reply("account closed")).category == "mailbox_disabled"
    assert rule(Reply("account closed", action=Action.DELAYED)).category == "soft_other"


@pytest.mark.parametrize("text", ["550 5.1.1 see zen.spamhaus.org", "550 mailspike.net"])
def test_the_name_of_a_list_is_enough(text: str) -> None:
    """A block list's host name alone makes it a listing."""
    assert classify.builtin().rule(Reply(text)).category == "blocklisted"

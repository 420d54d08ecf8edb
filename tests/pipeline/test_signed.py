"""Reports to signed return paths: whom they are about, and what they are worth (F38, F39)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from bouncemilter.model import (
    Action,
    Category,
    Envelope,
    Event,
    Front,
    Kind,
    RecipientVerdict,
    Report,
    ReportedRecipient,
    Returned,
    Ruling,
    Source,
    Trust,
    Verdict,
)
from bouncemilter.pipeline.attribution import Arrival, Attribution
from bouncemilter.returnpath import Key, KeyRing, Recognizer, ReturnPath, SignedPath, Signer
from bouncemilter.trust import Evidence, Prover

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
PATH = ReturnPath("bounces.example.com", "b", sender_domains=("example.com",))
UNSIGNED = ReturnPath("returns.example.org", "b", sender_domains=("example.org",))
WATCHED = "newsletter@example.com"
KEYS = KeyRing([Key(3, NOON - dt.timedelta(days=90), bytes(range(32)))])
SIGNER = Signer(PATH, KEYS)
SITE = Attribution(
    Prover(Recognizer([PATH, UNSIGNED], [WATCHED]), [SignedPath(PATH, KEYS)]),
    Evidence(frozenset({"example.com", "example.org"}), frozenset({"mx.example.com"}), frozenset({"example.com"})),
)
JAN = SIGNER.mint("jan@example.pl", day=NOON.date(), nonce=b"abc")
LONG = "a.very.long.local.part.that.does.not.fit.beside@the.token.example.pl"
HASHED = SIGNER.mint(LONG, day=NOON.date(), nonce=b"def")
MESSAGE = SIGNER.mint_message(day=NOON.date()).address
OWN_MTA = "by mx.example.com (Postfix) id 4ZQx; Sun,  1 Mar 2026 12:00:00 +0100 (CET)"
UNKNOWN = Ruling(Category.USER_UNKNOWN, "generic.user_unknown", "user unknown")


def events(
    recipient: str,
    *failed: str,
    kind: Kind = Kind.BOUNCE,
    recorded: tuple[str, ...] = (),
    came: dict[str, Any] | None = None,
    **report: Any,
) -> tuple[Event, ...]:
    """The events of a report to `recipient` that fails some addresses."""
    values: dict[str, Any] = {
        "front": Front.SINK,
        "sender": "",
        "recipients": (recipient,),
        "received_at": NOON,
        "source": Source.REMOTE,
    }
    envelope = Envelope(**(values | (came or {})))
    reported = tuple(ReportedRecipient(each, Action.FAILED) for each in failed)
    verdict = Verdict(
        Report(kind, recipients=reported, **report), tuple(RecipientVerdict(each, UNKNOWN) for each in reported)
    )
    proof = SITE.proof(envelope, recipient, verdict)
    return SITE.events(Arrival(envelope, recipient, verdict, proof, recorded.__contains__, b"digest"))


@pytest.mark.parametrize("written", [JAN, JAN.upper(), f"<{JAN.title()}>"])
def test_token(written: str) -> None:
    """A valid token is the strongest evidence, in whatever case it comes back, and names whom we wrote to."""
    (found,) = events(written, "jan@example.pl")
    assert (found.trust, found.trust_reason, found.address_key) == (Trust.TOKEN, "token", "jan@example.pl")
    assert found.message_key.startswith("token:2026-03-01:")


def test_report_that_names_nobody() -> None:
    """A report without any address is about the token's."""
    (found,) = events(JAN)
    assert (found.trust, found.address_key) == (Trust.TOKEN, "jan@example.pl")


def test_token_of_one_with_failure_of_another() -> None:
    """F39: a token of Jan with a failure of Ewa never touches Ewa: it is Jan's, as a forwarder's."""
    (found,) = events(JAN, "ewa@example.net")
    assert (found.address_key, found.reported_address, found.forwarded) == ("jan@example.pl", "ewa@example.net", True)
    (within,) = events(JAN, "j.kowalski@mail.example.pl")
    assert (within.address_key, within.forwarded) == ("jan@example.pl", False)


def test_hashed_token() -> None:
    """A hashed token says whether an address that the report names is the one; other addresses it says nothing of."""
    (found,) = events(HASHED, LONG.upper())
    assert (found.trust, found.address_key) == (Trust.TOKEN, LONG)
    (other,) = events(HASHED, "ewa@example.net")
    assert (other.trust, other.trust_reason) == (Trust.NONE, "not_a_recipient")
    (nobody,) = events(HASHED)
    assert (nobody.trust, nobody.address_key) == (Trust.NONE, "")


def test_message_token() -> None:
    """A message token makes a report plausible, for those whom the message was sent to and for nobody else."""
    known = ("jan@example.pl", "ewa@example.net")
    jan, ola = events(MESSAGE, "jan@example.pl", "ola@example.net", recorded=("jan@example.pl", "ola@example.net"))
    assert {jan.trust, ola.trust} == {Trust.PLAUSIBLE}
    (jan,) = events(MESSAGE, "jan@example.pl", "stranger@example.net", recorded=known)
    assert (jan.trust, jan.trust_reason, jan.address_key) == (Trust.PLAUSIBLE, "message_token", "jan@example.pl")
    (stranger,) = events(MESSAGE, "stranger@example.net", recorded=known)
    assert (stranger.trust, stranger.trust_reason) == (Trust.NONE, "not_a_recipient")


@pytest.mark.parametrize(
    ("recipient", "reason"),
    [
        ("b@bounces.example.com", "unsigned"),
        ("b+jan=example.pl@bounces.example.com", "unsigned"),
        (JAN.replace("jan=", "ewa="), "forged"),
        (JAN.replace("@", "a@"), "unsigned"),
        (SIGNER.mint("jan@example.pl", day=dt.date(2026, 1, 1), nonce=b"ghi"), "expired"),
    ],
)
def test_no_valid_token(recipient: str, reason: str) -> None:
    """F38, F39: what comes to a signed path without a valid token counts for nothing, from our own MTA neither."""
    (found,) = events(
        recipient,
        "jan@example.pl",
        top_received=OWN_MTA,
        returned=Returned(message_id="<1@example.com>", sender="news@example.com"),
        came={"source": Source.LOCAL},
    )
    assert (found.trust, found.trust_reason) == (Trust.NONE, reason)


def test_token_in_what_came_back() -> None:
    """A valid token in the returned message's headers equals one in the envelope."""
    (found,) = events(WATCHED, "jan@example.pl", returned=Returned(return_path=JAN))
    assert (found.trust, found.trust_reason, found.address_key) == (Trust.TOKEN, "token_returned", "jan@example.pl")
    (forged,) = events(WATCHED, "ewa@example.pl", returned=Returned(return_path=JAN.replace("jan=", "ewa=")))
    assert forged.trust is Trust.NONE


def test_own_headers_of_a_signed_sender() -> None:
    """Where a sender's mail is signed, its From and Message-ID alone prove nothing; elsewhere they still do."""
    signed = Returned(message_id="<1@example.com>", sender="news@example.com")
    (found,) = events(WATCHED, "jan@example.pl", returned=signed)
    assert (found.trust, found.trust_reason) == (Trust.NONE, "unsigned")
    unsigned = Returned(message_id="<1@example.org>", sender="news@example.org")
    (found,) = events(WATCHED, "jan@example.pl", returned=unsigned)
    assert (found.trust, found.trust_reason) == (Trust.PLAUSIBLE, "own_headers")
    (found,) = events("b+jan=example.pl@returns.example.org", "jan@example.pl")
    assert (found.trust, found.trust_reason) == (Trust.PLAUSIBLE, "verp")


def test_answers() -> None:
    """Who answers is whom we wrote to, and an opt-out is also for the address that wrote."""
    (found,) = events(JAN, kind=Kind.AUTO_REPLY, sender="j.kowalski@example.net")
    assert (found.trust, found.address_key, found.reported_address) == (
        Trust.TOKEN,
        "jan@example.pl",
        "j.kowalski@example.net",
    )
    first, second = events(JAN, kind=Kind.UNSUBSCRIBE, sender="j.kowalski@example.net")
    assert (first.address_key, second.address_key) == ("jan@example.pl", "j.kowalski@example.net")
    (hashed,) = events(HASHED, kind=Kind.AUTO_REPLY, sender=LONG)
    assert (hashed.trust, hashed.address_key) == (Trust.TOKEN, LONG)
    (stranger,) = events(HASHED, kind=Kind.AUTO_REPLY, sender="ewa@example.net")
    assert stranger.trust is Trust.NONE


def test_replay_is_one_message() -> None:
    """F39: whatever else a replayed report says, it is about the same message."""
    first = events(JAN, "jan@example.pl", returned=Returned(message_id="<1@example.com>"))
    again = events(JAN, "jan@example.pl", envelope_id="other", returned=Returned(message_id="<2@example.com>"))
    assert first[0].message_key == again[0].message_key
    other = SIGNER.mint("jan@example.pl", day=NOON.date(), nonce=b"xyz")
    assert events(other, "jan@example.pl")[0].message_key != first[0].message_key

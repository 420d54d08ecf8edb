"""Whom an event is about, and what names it and its message (DESIGN section 7, F39)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from bouncemilter.model import (
    Action,
    Category,
    Defect,
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
from bouncemilter.pipeline.attribution import Arrival, Attribution, is_untrusted
from bouncemilter.returnpath import Recognizer, ReturnPath
from bouncemilter.trust import Evidence, Prover

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
VERP = "b+jan=example.pl@bounces.example.com"
PLAIN = "b@bounces.example.com"
WATCHED = "newsletter@example.com"
OURS = Returned(message_id="<1@example.com>", sender="news@example.com")
UNKNOWN = Ruling(Category.USER_UNKNOWN, "generic.user_unknown", "user unknown")

SITE = Attribution(
    Prover(Recognizer([ReturnPath("bounces.example.com", "b", sender_domains=("example.com",))], [WATCHED])),
    Evidence(frozenset({"example.com"})),
)


def events(
    verdict: Verdict, recipient: str = VERP, site: Attribution = SITE, digest: bytes = b"digest", **envelope: Any
) -> tuple[Event, ...]:
    values: dict[str, Any] = {
        "front": Front.SINK,
        "sender": "",
        "recipients": (recipient,),
        "received_at": NOON,
        "source": Source.REMOTE,
    }
    came = Envelope(**(values | envelope))
    proof = site.proof(came, recipient, verdict)
    return site.events(Arrival(came, recipient, verdict, proof, lambda _: False, digest))


def failed(address: str = "", **fields: Any) -> ReportedRecipient:
    return ReportedRecipient(address, Action.FAILED, **fields)


def verdict(*recipients: ReportedRecipient, kind: Kind = Kind.BOUNCE, **report: Any) -> Verdict:
    return Verdict(
        Report(kind, recipients=recipients, **report), tuple(RecipientVerdict(each, UNKNOWN) for each in recipients)
    )


@pytest.mark.parametrize(
    ("recipient", "address", "reported", "forwarded"),
    [
        (failed("jan@example.pl"), "jan@example.pl", "", False),
        (failed("JAN@EXAMPLE.PL"), "jan@example.pl", "", False),
        (failed('"jan"@example.pl.'), "jan@example.pl", "", False),
        (failed(), "jan@example.pl", "", False),
        (failed("j.kowalski@example.pl"), "jan@example.pl", "j.kowalski@example.pl", False),
        (failed("jan@mail.example.pl"), "jan@example.pl", "jan@mail.example.pl", False),
        (failed("jan@gmail.com"), "jan@example.pl", "jan@gmail.com", True),
        (failed("jan@example.pl.evil.net"), "jan@example.pl", "jan@example.pl.evil.net", True),
        (failed("jan@gmail.com", original_address="jan@example.pl"), "jan@example.pl", "", False),
        (failed("jan@gmail.com", final_address="jan@example.pl"), "jan@example.pl", "", False),
        (failed("x@gmail.com", original_address="ewa@example.net"), "jan@example.pl", "x@gmail.com", True),
        (failed("", final_address="x@gmail.com"), "jan@example.pl", "x@gmail.com", True),
        (failed("jan"), "jan@example.pl", "", False),
        (failed("User unknown", final_address="x@gmail.com"), "jan@example.pl", "x@gmail.com", True),
    ],
)
def test_return_path_names_whom(recipient: ReportedRecipient, address: str, reported: str, forwarded: bool) -> None:
    """Who it is about is whom we wrote to; what the report names instead is recorded and never followed."""
    (found,) = events(verdict(recipient))
    assert (found.address, found.reported_address, found.forwarded) == (address, reported, forwarded)
    assert found.address_key == "jan@example.pl"
    assert (found.trust, found.trust_reason) == (Trust.PLAUSIBLE, "verp")


@pytest.mark.parametrize(
    ("recipient", "address"),
    [
        (failed("Jan@Example.PL"), "Jan@Example.PL"),
        (failed("jan@gmail.com", original_address="jan@example.pl"), "jan@example.pl"),
        (failed("", final_address="jan@example.pl"), "jan@example.pl"),
        (failed("jan@gmail.com", original_address="jan"), "jan@gmail.com"),
        (failed(""), ""),
        (failed("somebody"), ""),
    ],
)
@pytest.mark.parametrize("arrived_at", [PLAIN, WATCHED])
def test_report_names_whom(recipient: ReportedRecipient, address: str, arrived_at: str) -> None:
    """Where no return path names anybody, the report does: its Original-Recipient first."""
    (found,) = events(verdict(recipient, returned=OURS), arrived_at)
    assert (found.address, found.forwarded, found.trust) == (address, False, Trust.PLAUSIBLE)


def test_token_of_one_report_of_another() -> None:
    """A return path of Jan with a report about Ewa affects nobody but Jan, and says that it was another's (F39)."""
    found = events(verdict(failed("ewa@example.net"), failed("ola@example.org")))
    assert [each.address_key for each in found] == ["jan@example.pl"] * 2
    assert [each.reported_address for each in found] == ["ewa@example.net", "ola@example.org"]
    assert all(each.forwarded for each in found)
    assert len({each.id for each in found}) == 2


@pytest.mark.parametrize("ours", [failed("Jan@example.pl"), failed("jan@gmail.com", original_address="jan@example.pl")])
def test_strangers_beside_ours(ours: ReportedRecipient) -> None:
    """Beside the one we wrote to a report may name strangers: their failures are nobody's."""
    found = events(verdict(failed("ewa@example.net"), ours, failed("jan"), failed("ola@example.org")))
    assert [(each.address_key, each.forwarded, each.reported_address) for each in found] == [
        ("jan@example.pl", False, "")
    ]


def test_report_without_recipients() -> None:
    """A report that names nobody is one event, about whom its return path names."""
    (named,) = events(verdict())
    (nobody,) = events(verdict(), PLAIN)
    assert (named.address_key, nobody.address_key) == ("jan@example.pl", "")
    assert nobody.trust is Trust.NONE


@pytest.mark.parametrize(("kind", "kept"), [(Kind.AUTO_REPLY, ""), (Kind.BOUNCE, "words")])
def test_text_of_auto_replies(kind: Kind, kept: str) -> None:
    """Where the site says so, an auto-reply's words are not recorded; others' are."""
    site = dataclasses.replace(SITE, keep_auto_reply_text=False)
    (found,) = events(verdict(kind=kind, excerpt="words", left_company=True), site=site)
    assert (found.excerpt, found.left_company) == (kept, True)
    (found,) = events(verdict(kind=kind, excerpt="words"))
    assert found.excerpt == "words"


def test_rule_version() -> None:
    """What a rule decided says by which rules; what none decided does not."""
    site = dataclasses.replace(SITE, rule_version="1+x")
    (found,) = events(verdict(failed()), site=site)
    assert found.rule_version == "1+x"
    (found,) = events(Verdict(Report(Kind.AUTO_REPLY), ()), site=site)
    assert (found.rule, found.rule_version) == ("", "")


def test_local_part_kept() -> None:
    """Where local parts are not folded, another case is another mailbox."""
    site = Attribution(SITE.prover, SITE.evidence, fold_local_part=False)
    (found,) = events(verdict(failed("JAN@example.pl")), site=site)
    assert (found.address_key, found.reported_address, found.forwarded) == ("jan@example.pl", "JAN@example.pl", False)


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (Action.FAILED, Kind.BOUNCE),
        (Action.DELAYED, Kind.DELAYED),
        (Action.DELIVERED, Kind.DELIVERED),
        (Action.RELAYED, Kind.DELIVERED),
        (Action.EXPANDED, Kind.DELIVERED),
        (None, Kind.BOUNCE),
    ],
)
def test_kind_by_action(action: Action | None, kind: Kind) -> None:
    """In a report about several recipients each has the kind of its own action; without one, the report's."""
    (found,) = events(verdict(ReportedRecipient("jan@example.pl", action)))
    assert (found.kind, found.action) == (kind, action)


@pytest.mark.parametrize("kind", [Kind.AUTO_REPLY, Kind.RECEIPT, Kind.CHALLENGE])
@pytest.mark.parametrize(
    ("arrived_at", "writer", "address", "reported"),
    [
        (VERP, "jan@example.pl", "jan@example.pl", ""),
        (VERP, "Jan@Example.PL", "jan@example.pl", ""),
        (VERP, "asystent@example.pl", "jan@example.pl", "asystent@example.pl"),
        (VERP, "", "jan@example.pl", ""),
        (PLAIN, "jan@example.pl", "jan@example.pl", ""),
        (PLAIN, "", "", ""),
    ],
)
def test_replies(kind: Kind, arrived_at: str, writer: str, address: str, reported: str) -> None:
    """A reply is about whom we wrote to, or else about who wrote it; it is one event whatever it names."""
    (found,) = events(verdict(kind=kind, sender=writer), arrived_at)
    assert (found.address, found.reported_address, found.kind) == (address, reported, kind)
    assert found.category is None


def test_unsubscribe_by_another_address() -> None:
    """Who asks from another address is taken off under both, as two events."""
    asked = verdict(ReportedRecipient("jan.k@example.net"), kind=Kind.UNSUBSCRIBE, sender="jan.k@example.net")
    found = events(asked)
    assert [each.address_key for each in found] == ["jan@example.pl", "jan.k@example.net"]
    assert len({each.id for each in found}) == 2
    (same,) = events(verdict(kind=Kind.UNSUBSCRIBE, sender="JAN@example.pl"))
    assert same.address_key == "jan@example.pl"


def test_complaint_names_who_complained() -> None:
    """A complaint is about whom the return path names, or whom the report names."""
    complaint = verdict(ReportedRecipient("jan@example.pl"), kind=Kind.COMPLAINT, returned=OURS)
    assert [each.kind for each in events(complaint, WATCHED)] == [Kind.COMPLAINT]
    assert events(complaint, WATCHED)[0].address_key == "jan@example.pl"


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"envelope_id": "QQ314159", "returned": OURS}, "envid:QQ314159"),
        ({"returned": OURS}, "mid:<1@example.com>"),
        ({"returned": Returned(subject="News")}, "day:jan@example.pl:2026-03-01"),
        ({}, "day:jan@example.pl:2026-03-01"),
        ({"message_id": "<report@mx.example.pl>"}, "day:jan@example.pl:2026-03-01"),
    ],
)
def test_message_key(fields: dict[str, Any], key: str) -> None:
    """The original message is named by ENVID, else by its Message-ID, else by address and UTC day."""
    (found,) = events(verdict(failed("jan@example.pl"), **fields))
    assert found.message_key == key


def test_event_id_of_copies() -> None:
    """The same report by another front, later, or with the recipient in another case is the same event."""
    report = verdict(failed("jan@example.pl"))
    (first,) = events(report)
    (again,) = events(
        report, VERP.upper(), front=Front.MAILBOX, received_at=NOON + dt.timedelta(days=3), sender="x@y.pl"
    )
    assert first.id == again.id


def test_event_id_apart() -> None:
    """Another report, another envelope recipient and another failed recipient are other events."""
    found = [
        *events(verdict(failed("jan@example.pl"))),
        *events(verdict(failed("jan@example.pl")), digest=b"other"),
        *events(verdict(failed("jan@example.pl")), PLAIN),
        *events(verdict(failed("jan@gmail.com"))),
    ]
    assert len({each.id for each in found}) == 4


def test_event_id_is_unambiguous() -> None:
    """No piece of one name can be taken for a piece of the next."""
    (one,) = events(verdict(failed("an@example.pl")), PLAIN, digest=b"xj")
    (other,) = events(verdict(failed("jan@example.pl")), PLAIN, digest=b"x")
    assert one.id != other.id
    assert len(one.id) == 32


@pytest.mark.parametrize(
    ("sender", "arrived_at", "domain"),
    [
        ("news@example.com", VERP, "example.com"),
        ("News@EXAMPLE.com", VERP, "example.com"),
        ("news@shop.example.com", VERP, "shop.example.com"),
        ("news@example.org", VERP, "example.com"),
        ("news@evil-example.com", VERP, "example.com"),
        ("", VERP, "example.com"),
        ("", WATCHED, "example.com"),
    ],
)
def test_sender_domain(sender: str, arrived_at: str, domain: str) -> None:
    """The sender is the From domain of the returned message, where that is ours, else the return path's."""
    (found,) = events(verdict(failed("jan@example.pl"), returned=Returned(sender=sender)), arrived_at)
    assert found.sender_domain == domain


def test_everything_is_kept() -> None:
    """What was read and ruled stands in the event."""
    recipient = failed(
        "jan@example.pl", status="5.1.1", reply_code="550", diagnostic="550 5.1.1 unknown", remote_host="mx.example.pl"
    )
    (found,) = events(
        verdict(
            recipient,
            format="dsn",
            message_id="<r@mx.example.pl>",
            returned=OURS,
            excerpt="words",
            left_company=True,
            new_address="ewa@example.pl",
            defects=(Defect.TRUNCATED,),
        )
    )
    assert (found.status, found.reply_code, found.diagnostic) == ("5.1.1", "550", "550 5.1.1 unknown")
    assert (found.category, found.rule, found.template) == (UNKNOWN.category, UNKNOWN.rule, UNKNOWN.template)
    assert (found.remote_host, found.format, found.report_message_id) == ("mx.example.pl", "dsn", "<r@mx.example.pl>")
    assert (found.returned, found.excerpt, found.defects) == (OURS, "words", (Defect.TRUNCATED,))
    assert (found.left_company, found.new_address) == (True, "ewa@example.pl")
    assert (found.at, found.front, found.envelope_recipient, found.envelope_sender) == (NOON, Front.SINK, VERP, "")


@pytest.mark.parametrize("flag", ["closed_for_good", "already_suppressed"])
def test_flags_of_the_ruling(flag: str) -> None:
    """What the ruling says besides its category reaches policy."""
    report = Report(Kind.BOUNCE, recipients=(failed("jan@example.pl"),))
    ruling = Ruling(Category.MAILBOX_DISABLED, "r", **{flag: True})
    (found,) = events(Verdict(report, (RecipientVerdict(report.recipients[0], ruling),)))
    assert getattr(found, flag)
    (plain,) = events(verdict(failed("jan@example.pl")))
    assert not getattr(plain, flag)


def test_is_untrusted() -> None:
    """A message is a stranger's where none of its events can be tied to mail of ours."""
    assert is_untrusted(events(verdict(failed("jan@example.pl")), PLAIN))
    assert not is_untrusted(events(verdict(failed("jan@example.pl"))))

"""Bounces whose returned headers carry our DKIM signature: what they are worth, and for whom (F38, F39)."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from bouncemilter import report
from bouncemilter.cli import show
from bouncemilter.model import Effect, Envelope, Front, Source, Trust, Verdict
from bouncemilter.pipeline.attribution import Arrival, Attribution
from bouncemilter.returnpath import Key, KeyRing, Recognizer, ReturnPath, SignedPath, Signer
from bouncemilter.store import StoredEvent
from bouncemilter.trust import Evidence, Prover
from tests.dkim.signing import HEADERS, KEY, signed
from tests.pipeline.site import JAN, NOON, WATCHED, Site

PATH = ReturnPath("bounces.own.test", "b", sender_domains=("own.test",))
RING = KeyRing([Key(3, NOON - dt.timedelta(days=90), bytes(range(32)))])
TOKEN = Signer(PATH, RING).mint(JAN, day=NOON.date(), nonce=b"abc")
UNSIGNED = "b+jan=klient.test@bounces.own.test"
EWA = "ewa@klient.test"
EVIDENCE = Evidence(frozenset({"own.test"}), frozenset({"mx.own.test"}), frozenset({"own.test"}))
SIGNING = Attribution(Prover(Recognizer([PATH], [WATCHED]), [SignedPath(PATH, RING)], [KEY]), EVIDENCE)
VERP_ONLY = Attribution(
    Prover(Recognizer([PATH], [WATCHED]), keys=[KEY]), dataclasses.replace(EVIDENCE, signed_domains=frozenset())
)


def headers(number: int = 1, to: str = JAN) -> str:
    """The headers of a mailing."""
    return HEADERS.replace(JAN, to).replace("<1@", f"<{number}@")


def bounce(
    returned: str, *failed: str, envelope_id: str = "", received: str = "", kind: str = "text/rfc822-headers"
) -> bytes:
    """A report of a foreign server that fails some addresses and returns some headers."""
    blocks = "".join(
        f"Final-Recipient: rfc822; {each}\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1 user unknown\n\n"
        for each in failed
    )
    envid = f"Original-Envelope-Id: {envelope_id}\n" if envelope_id else ""
    head = f"Received: {received}\n" if received else ""
    return (
        f"{head}From: MAILER-DAEMON@mx.klient.test\nTo: b@bounces.own.test\nSubject: Undelivered\n"
        "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\n\n"
        f"--x\n\nNot delivered.\n--x\nContent-Type: message/delivery-status\n\n"
        f"{envid}Reporting-MTA: dns; mx.klient.test\n\n{blocks}--x\nContent-Type: {kind}\n\n{returned}\n--x--\n"
    ).encode()


@pytest.fixture
def site(site: Site) -> Site:
    site.configure(attribution=SIGNING)
    return site


async def only(site: Site, address: str) -> StoredEvent:
    (found,) = await site.events(address)
    return found


@pytest.mark.parametrize("to", [UNSIGNED, WATCHED, "b@bounces.own.test"])
async def test_plausible(site: Site, to: str) -> None:
    """Where mail is signed and the token is missing, our DKIM signature makes a report plausible."""
    await site.deliver(bounce(signed(headers()), JAN), to)
    event = (await only(site, JAN)).event
    assert (event.trust, event.trust_reason, event.message_key) == (Trust.PLAUSIBLE, "dkim", "mid:<1@own.test>")
    assert event.returned.message_id == "<1@own.test>"
    assert not event.returned.signed_headers


async def test_without_a_signature(site: Site) -> None:
    """Without it, with a broken one or one that is too old, the same report is worth nothing."""
    await site.deliver(bounce(headers(), JAN), UNSIGNED)
    await site.deliver(bounce(signed(headers(2)).replace("marzec", "maj"), JAN), UNSIGNED)
    await site.deliver(bounce(signed(headers(3)), JAN), UNSIGNED, days=61)
    found = [each.event for each in await site.events(JAN)]
    assert [(each.trust, each.trust_reason) for each in found] == [(Trust.NONE, "unsigned")] * 3


async def test_token_wins(site: Site) -> None:
    """A valid token is worth more."""
    await site.deliver(bounce(signed(headers()), JAN), TOKEN)
    assert (await only(site, JAN)).event.trust_reason == "token"


async def test_two_messages(site: Site) -> None:
    """Two messages suppress, as plausible reports do; a report of one message never counts twice."""
    for envelope_id in ("", "a", "b", "c"):
        await site.deliver(bounce(signed(headers()), JAN, envelope_id=envelope_id), UNSIGNED)
    assert not await site.suppressed(JAN)
    assert Effect.SUPPRESSED not in await site.effects(JAN)
    await site.deliver(bounce(signed(headers(2)), JAN), UNSIGNED, days=1)
    assert await site.suppressed(JAN)


async def test_message_without_signed_name(site: Site) -> None:
    """Where the Message-ID is not signed, what is signed names the message, whatever Message-ID stands there."""
    once = signed(headers(), names=("From", "To", "Date"))
    for number in range(3):
        await site.deliver(bounce(once.replace("<1@", f"<{number}@"), JAN), UNSIGNED)
    keys = {each.event.message_key for each in await site.events(JAN)}
    assert len(keys) == 1
    assert keys.pop().startswith("dkim:")
    assert not await site.suppressed(JAN)


@pytest.mark.parametrize("to", ["b+ewa=klient.test@bounces.own.test", WATCHED])
@pytest.mark.parametrize("forged", ["{}", "To: ewa@klient.test\n{}"])
async def test_subscriber_forges(site: Site, to: str, forged: str) -> None:
    """Whoever sends his own signed copies back in reports that fail another harms nobody."""
    for number in range(3):
        await site.deliver(bounce(forged.format(signed(headers(number))), EWA), to, days=number)
    found = [each.event for each in await site.events(EWA)]
    assert [(each.trust, each.trust_reason) for each in found] == [(Trust.NONE, "unsigned")] * 3
    assert not await site.suppressed(EWA)
    assert not await site.suppressed(JAN)


async def test_strangers_beside(site: Site) -> None:
    """Beside the one whom the signature speaks for, a report's others are ignored."""
    await site.deliver(bounce(signed(headers()), EWA, JAN), WATCHED)
    assert (await only(site, JAN)).event.trust is Trust.PLAUSIBLE
    assert await site.events(EWA) == []


async def test_several_recipients(site: Site) -> None:
    """A signature speaks for everybody in To and Cc."""
    await site.deliver(bounce(signed(headers(to=f"{JAN}>, <{EWA}")), EWA, JAN), WATCHED)
    assert {(await only(site, each)).event.trust for each in (JAN, EWA)} == {Trust.PLAUSIBLE}


async def test_unsigned_return_path(site: Site) -> None:
    """While return paths are not signed, what else ties a report to us still does."""
    site.configure(attribution=VERP_ONLY)
    await site.deliver(bounce(signed(headers()), JAN), WATCHED)
    await site.deliver(bounce(signed(headers(2)), EWA), WATCHED)
    assert (await only(site, JAN)).event.trust_reason == "dkim"
    assert (await only(site, EWA)).event.trust_reason == "own_headers"


async def test_own_server(site: Site) -> None:
    """A report of our own mail server is worth no less for a signature; where mail is signed, no more."""
    own = bounce(signed(headers()), JAN, received="by mx.own.test (Postfix) id 4ZQ; Sun,  1 Mar 2026 12:00:00 +0100")
    site.configure(attribution=VERP_ONLY)
    await site.deliver(own, "b@bounces.own.test", source=Source.LOCAL)
    assert (await only(site, JAN)).event.trust is Trust.LOCAL
    site.configure(attribution=SIGNING)
    await site.deliver(own, WATCHED, source=Source.LOCAL)
    assert {each.event.trust for each in await site.events(JAN)} == {Trust.LOCAL, Trust.PLAUSIBLE}


def test_headers_as_they_came() -> None:
    """The header block is kept where it is signed, only there, as it came, and out of what is shown."""
    block = signed(headers())
    for kind, text in (("text/rfc822-headers", block), ("message/rfc822", f"{block}\nTekst.\n")):
        found = report.read(bounce(text, JAN, kind=kind)).returned
        assert found
        assert found.signed_headers.strip() == block.strip().encode()
        assert "DKIM" not in f"{found}{show.plain(found)}"
    plain = report.read(bounce(headers(), JAN)).returned
    assert plain
    assert plain.signed_headers == b""


def test_in_the_text() -> None:
    """Headers that stand in the text of a report without parts are evidence as well."""
    mail = (
        "From: MAILER-DAEMON@mx.klient.test\nSubject: failure notice\n\n"
        "Hi. This is the qmail-send program at mx.klient.test.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{JAN}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\n"
        f"Return-Path: <news@own.test>\n{signed(headers())}\nTekst.\n"
    )
    said = report.read(mail.encode())
    assert said.returned
    envelope = Envelope(Front.SINK, "", (WATCHED,), NOON)
    proof = SIGNING.proof(envelope, WATCHED, Verdict(said))
    assert proof.vouches_for(JAN)
    assert not proof.vouches_for(EWA)
    assert not proof.vouches_for("")


COMPLAINT = """\
From: <abuse@fbl.test>
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=x

--x

A complaint.
--x
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: FBL/1.0
Version: 1
Original-Mail-From: <{path}>

--x{returned}--
"""


@pytest.mark.parametrize(
    ("returned", "found"),
    [
        ("", TOKEN),
        ("\nContent-Type: message/rfc822\n\nFrom: news@own.test\nSubject: Oferta\n\nTekst.\n--x", TOKEN),
        (
            "\nContent-Type: message/rfc822\n\nReturn-Path: <news@own.test>\nFrom: news@own.test\n\n\n--x",
            "news@own.test",
        ),
    ],
)
def test_mail_from_of_a_complaint(returned: str, found: str) -> None:
    """A complaint's Original-Mail-From is the return path where the returned message shows none (RFC 5965)."""
    said = report.read(COMPLAINT.format(path=TOKEN, returned=returned).encode())
    assert said.format == "arf"
    assert said.returned
    assert said.returned.return_path == found


async def test_token_of_a_complaint(site: Site) -> None:
    """A token in Original-Mail-From names who complained, though all else is taken out."""
    await site.deliver(COMPLAINT.format(path=TOKEN, returned="").encode(), WATCHED)
    event = (await only(site, JAN)).event
    assert (event.trust, event.trust_reason) == (Trust.TOKEN, "token_returned")


def test_headers_end_with_the_judgement() -> None:
    """An event, which is stored and queued, holds no header block."""
    verdict = Verdict(report.read(bounce(signed(headers()), JAN)))
    envelope = Envelope(Front.SINK, "", (WATCHED,), NOON)
    proof = SIGNING.proof(envelope, WATCHED, verdict)
    (event,) = SIGNING.events(Arrival(envelope, WATCHED, verdict, proof, lambda _: False, b"digest"))
    assert event.returned.message_id == "<1@own.test>"
    assert event.returned.signed_headers == b""

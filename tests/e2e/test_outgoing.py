"""The loop, closed: what leaves is signed, its bounce is believed, and the next mail to a dead address is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.outgoing import LOCAL_STREAM, RETURN_PATHS, STREAM, OutgoingWorld, access_socket, outgoing_world
from tests.rig import mail
from tests.rig.peer import Peer

pytestmark = pytest.mark.servers

NIKT = "nikt@remote.test"
ANNA = "anna@remote.test"
EWA = "ewa@remote.test"
REFUSAL = 550
WITHOUT_ADDRESS = """\
From: MAILER-DAEMON@remote.test
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <without.address@remote.test>
Content-Type: multipart/report; report-type=delivery-status; boundary="x"
MIME-Version: 1.0

--x
Content-Type: text/plain

The user is unknown here.

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; remote.test

Final-Recipient: rfc822; undisclosed
Action: failed
Status: 5.1.1

--x--
"""


@pytest.fixture
def world(folder: Path, peer: Peer) -> Iterator[OutgoingWorld]:
    with outgoing_world(folder, peer) as found:
        yield found


def letter(to: str) -> bytes:
    return mail.letter(to, "news@own.test", "Wieści")


def test_refused_by_the_peer(world: OutgoingWorld) -> None:
    """A program submits; the mail leaves signed; the peer's 550 suppresses; the next submission is refused at RCPT."""
    assert world.submit(NIKT, message=letter(NIKT)).accepted
    world.wait_for_suppression(NIKT)
    (event,) = (each["event"] for each in world.daemon.why(NIKT)["events"])
    assert (event["trust"], event["category"]) == ("token", "user_unknown")
    refused = world.submit(NIKT, message=letter(NIKT))
    assert not refused.accepted
    assert refused.rcpt[NIKT].code == REFUSAL
    assert not world.left(NIKT)


def test_report_without_an_address(world: OutgoingWorld) -> None:
    """The peer takes the mail and later sends a report that names nobody: the signature says whom it is about."""
    assert world.submit(ANNA, message=letter(ANNA)).accepted
    world.postfix.wait_for(lambda: world.left(ANNA))
    sender = world.left(ANNA)[0].sender
    assert sender.startswith("b+anna=remote.test=")
    assert sender.endswith(f"@{RETURN_PATHS}")
    exchange = world.postfix.inject("", [sender.upper()], WITHOUT_ADDRESS.format(to=sender).encode(), "inject")
    assert exchange.accepted
    world.wait_for_suppression(ANNA)
    assert not world.submit(ANNA, message=letter(ANNA)).accepted


def test_forged_reports(world: OutgoingWorld) -> None:
    """F38: reports with no token, an altered one or a stranger's suppress nobody; a token touches its own alone."""
    assert world.submit(ANNA, message=letter(ANNA)).accepted
    world.postfix.wait_for(lambda: world.left(ANNA))
    token = world.left(ANNA)[0].sender
    for to in (f"b@{RETURN_PATHS}", f"b+ewa=remote.test@{RETURN_PATHS}", token.replace("anna=", "ewa=")):
        for _ in range(2):
            assert world.postfix.inject("", [to], mail.dsn(to, EWA), "inject").accepted
    world.daemon.wait_for(lambda: len(world.daemon.why(EWA)["events"]) == 6)
    assert {each["event"]["trust"] for each in world.daemon.why(EWA)["events"]} == {"none"}
    assert not world.daemon.suppressed(EWA)
    assert world.postfix.inject("", [token], mail.dsn(token, EWA), "inject").accepted
    world.daemon.wait_for(lambda: world.daemon.why(ANNA)["events"])
    (event,) = (each["event"] for each in world.daemon.why(ANNA)["events"])
    assert (event["trust"], event["reported_address"]) == ("token", EWA)
    assert len(world.daemon.why(EWA)["events"]) == 6


def test_several_recipients(world: OutgoingWorld) -> None:
    """Of three recipients one is suppressed: two get the mail, under one message token, which speaks for them alone."""
    world.daemon.cli("suppression", "add", EWA, "--note", "asked by phone")
    world.wait_for_suppression(EWA)
    world.daemon.wait_for(lambda: not world.submit(EWA, message=letter(EWA)).accepted)
    exchange = world.submit(ANNA, EWA, "ola@remote.test", message=letter(ANNA))
    assert exchange.rcpt[EWA].code == REFUSAL
    world.postfix.wait_for(lambda: world.left(ANNA) and world.left("ola@remote.test"))
    assert not world.left(EWA)
    token = world.left(ANNA)[0].sender
    assert token == world.left("ola@remote.test")[0].sender
    assert "anna" not in token
    for number in range(2):
        assert world.postfix.inject("", [token], mail.dsn(token, ANNA, original_id=f"<{number}@x>"), "inject").accepted
        assert world.postfix.inject("", [token], mail.dsn(token, NIKT, original_id=f"<{number}@x>"), "inject").accepted
    world.daemon.wait_for(lambda: len(world.daemon.why(NIKT)["events"]) == 2)
    assert {each["event"]["trust"] for each in world.daemon.why(ANNA)["events"]} == {"plausible"}
    assert {each["event"]["trust"] for each in world.daemon.why(NIKT)["events"]} == {"none"}
    # Both reports are about one message: plausible needs two.
    assert not world.daemon.suppressed(ANNA)


def test_dropped(folder: Path, peer: Peer) -> None:
    """Where the stream drops, the program sees no refusal, and the suppressed get nothing."""
    with outgoing_world(folder, peer, STREAM.format(suppressed="drop")) as world:
        world.daemon.cli("suppression", "add", EWA)
        world.wait_for_suppression(EWA)
        assert world.submit(ANNA, EWA, message=letter(ANNA)).accepted
        world.postfix.wait_for(lambda: world.left(ANNA))
        assert world.submit(EWA, message=letter(EWA)).accepted
        world.postfix.wait_for(lambda: world.postfix.queue() == [])
        assert not world.left(EWA)
        assert world.daemon.metric("bouncemilter_withheld_total", cause="manual", action="dropped") == 2
        (withheld,) = world.daemon.why(EWA)["withheld"]
        assert (withheld["stream"], withheld["action"], withheld["n"]) == ("news", "dropped", 2)


@pytest.mark.parametrize("written", ["@a.test:ewa@remote.test", "ewa(x)@remote.test", r"e\wa@remote.test"])
def test_dropped_however_written(folder: Path, peer: Peer, written: str) -> None:
    """Postfix delivers to addresses that it has put in order: the suppressed are taken out by that name, too."""
    with outgoing_world(folder, peer, STREAM.format(suppressed="drop")) as world:
        world.daemon.cli("suppression", "add", EWA)
        world.wait_for_suppression(EWA)
        assert world.submit(ANNA, written, message=letter(ANNA)).accepted
        world.postfix.wait_for(lambda: world.left(ANNA) and world.postfix.queue() == [])
        assert not world.left(EWA)


def test_reports_to_people(folder: Path, peer: Peer) -> None:
    """A stream of local programs leaves Postfix's own reports alone: jan, who is suppressed, learns of his typo."""
    stream = LOCAL_STREAM.replace('sender_domain = ["own.test"]', "")
    with outgoing_world(folder, peer, stream, internal_mail_filter_classes="bounce") as world:
        world.daemon.cli("suppression", "add", "jan@own.test")
        world.wait_for_suppression("jan@own.test")
        assert world.postfix.inject("jan@own.test", [NIKT], letter(NIKT), "inject").accepted
        world.postfix.wait_for(lambda: world.postfix.mailbox("jan@own.test"))
        assert world.daemon.metric("bouncemilter_sent_total") == 0


def test_local_programs(folder: Path, peer: Peer) -> None:
    """Mail handed in by the command sendmail is signed, too, and a suppressed recipient taken out, never refused."""
    with outgoing_world(folder, peer, LOCAL_STREAM) as world:
        world.daemon.cli("suppression", "add", EWA)
        world.wait_for_suppression(EWA)
        world.postfix.sendmail(["-f", "news@own.test", ANNA, EWA], letter(ANNA))
        world.postfix.wait_for(lambda: world.left(ANNA))
        assert world.left(ANNA)[0].sender.startswith("b+anna=remote.test=")
        world.postfix.wait_for(lambda: world.postfix.queue() == [])
        assert not world.left(EWA)


def test_other_mail_is_untouched(world: OutgoingWorld) -> None:
    """Mail of no stream keeps its sender and reaches whoever is suppressed; VERP and BATV keep theirs."""
    world.daemon.cli("suppression", "add", EWA)
    world.wait_for_suppression(EWA)
    assert world.submit(EWA, message=letter(EWA), sender="jan@own.test", service="smtp").accepted
    world.postfix.wait_for(lambda: world.left(EWA))
    assert world.left(EWA)[0].sender == "jan@own.test"
    for sender in ("list+anna=remote.test@own.test", "prvs=0123abcdef=news@own.test"):
        assert world.submit(ANNA, message=letter(ANNA), sender=sender).accepted
    world.postfix.wait_for(lambda: len(world.left(ANNA)) == 2)
    assert {each.sender for each in world.left(ANNA)} == {
        "list+anna=remote.test@own.test",
        "prvs=0123abcdef=news@own.test",
    }


def test_notifications(world: OutgoingWorld) -> None:
    """An automatic answer from the null sender, through the bulk service, reaches whoever is suppressed, unsigned."""
    world.daemon.cli("suppression", "add", EWA)
    world.wait_for_suppression(EWA)
    world.daemon.wait_for(lambda: not world.submit(EWA, message=letter(EWA)).accepted)
    assert world.submit(EWA, message=letter(EWA), sender="").accepted
    world.postfix.wait_for(lambda: world.left(EWA))
    assert world.left(EWA)[0].sender == ""


def test_without_a_milter(folder: Path, peer: Peer) -> None:
    """The same refusal by Postfix's own look-up over socketmap, and by its policy service."""
    socket = access_socket
    more = f'[access]\nenabled = true\naddress = "unix:{folder}/daemon/sockets/access.sock"\n'
    with outgoing_world(folder, peer, more=more) as world:
        assert socket(world.daemon).exists()
        world.daemon.cli("suppression", "add", EWA)
        world.wait_for_suppression(EWA)
        refused = world.submit(EWA, ANNA, message=letter(EWA), service="plain")
        assert refused.rcpt[EWA].code == REFUSAL
        world.postfix.wait_for(lambda: world.left(ANNA))
        restriction = f"check_policy_service {{ unix:{socket(world.daemon)}, policy_context=news }}"
        world.postfix.reload(smtpd_recipient_restrictions=restriction)
        world.postfix.wait_for(lambda: not world.submit(EWA, message=letter(EWA), service="smtp").accepted)
        assert world.submit(EWA, message=letter(EWA), sender="", service="smtp").accepted

"""The loop, closed, with a real Sendmail: signed on the way out, believed on the way back, refused the next time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bouncemilter.doctor.check import Level
from tests.doctor.test_sendmail_checks import diagnose
from tests.e2e.outgoing import RETURN_PATHS, STREAM, make_key, tables
from tests.e2e.test_outgoing import WITHOUT_ADDRESS, letter
from tests.rig.peer import Mail, Peer
from tests.rig.sendmail import safe_folder
from tests.rig.sendmail_world import SendmailWorld, sendmail_world

pytestmark = pytest.mark.servers

NIKT, ANNA, EWA, OLA = (f"{name}@remote.test" for name in ("nikt", "anna", "ewa", "ola"))
SERVICE = "ORIGINATING"


@pytest.fixture
def safe() -> Iterator[Path]:
    """A folder that Sendmail trusts."""
    with safe_folder() as found:
        yield found


@pytest.fixture
def world(safe: Path, peer: Peer) -> Iterator[SendmailWorld]:
    """A stream whose suppressed recipients are refused."""
    with sendmail_world(safe, peer, tables(make_key(safe))) as found:
        yield found


def submit(world: SendmailWorld, *recipients: str, service: str = SERVICE) -> Any:
    """Hand a mail in, as a program does that knows nothing of return paths."""
    return world.sendmail.inject("news@own.test", recipients, letter(recipients[0]), service)


def left(world: SendmailWorld, recipient: str) -> list[Mail]:
    """What the peer took for somebody."""
    return [each for each in world.peer.accepted if recipient in each.recipients]


def suppress(world: SendmailWorld, address: str) -> None:
    """By hand, and until the look-up knows."""
    world.daemon.cli("suppression", "add", address)
    world.daemon.wait_for(lambda: world.daemon.metric("bouncemilter_suppression_index_entries") >= 1)


def test_refused_by_the_peer(world: SendmailWorld) -> None:
    """The peer's 550 becomes Sendmail's own report to the signed path: it suppresses, and the next RCPT is refused."""
    assert submit(world, NIKT).accepted
    world.daemon.wait_for(lambda: world.daemon.metric("bouncemilter_suppression_index_entries") >= 1)
    [event] = world.events(NIKT)
    assert (event["front"], event["trust"], event["category"]) == ("sink", "token", "user_unknown")
    refused = submit(world, NIKT)
    assert not refused.accepted
    assert refused.rcpt[NIKT].code == 550
    assert refused.rcpt[NIKT].text.startswith(f"5.7.1 <{NIKT}>... suppressed: ")
    assert submit(world, NIKT, service="smtp").accepted


def test_report_without_an_address(world: SendmailWorld) -> None:
    """The peer takes the mail and later reports without naming anybody, to the path in upper case: it suppresses."""
    assert submit(world, ANNA).accepted
    world.sendmail.wait_for(lambda: left(world, ANNA))
    sender = left(world, ANNA)[0].sender
    assert sender.startswith("b+anna=remote.test=")
    assert sender.endswith(f"@{RETURN_PATHS}")
    assert world.sendmail.inject("", [sender.upper()], WITHOUT_ADDRESS.format(to=sender).encode()).accepted
    world.daemon.wait_for(lambda: world.daemon.metric("bouncemilter_suppression_index_entries") >= 1)
    assert not submit(world, ANNA).accepted


def test_three_recipients(world: SendmailWorld) -> None:
    """Of three recipients one is suppressed: two get the mail, under one return path."""
    suppress(world, EWA)
    exchange = submit(world, ANNA, EWA, OLA)
    assert [exchange.rcpt[each].code for each in (ANNA, EWA, OLA)] == [250, 550, 250]
    world.sendmail.wait_for(lambda: left(world, ANNA) and left(world, OLA))
    assert not left(world, EWA)
    assert left(world, ANNA)[0].sender == left(world, OLA)[0].sender


def test_dropped(safe: Path, peer: Peer) -> None:
    """Where the stream drops, `delrcpt` takes the suppressed out, and a message to nobody else is discarded."""
    key = make_key(safe)
    with sendmail_world(safe, peer, tables(key, STREAM.format(suppressed="drop"))) as world:
        suppress(world, EWA)
        assert submit(world, ANNA, EWA).accepted
        world.sendmail.wait_for(lambda: left(world, ANNA))
        assert submit(world, EWA).accepted
        world.sendmail.wait_for(lambda: world.sendmail.queue() == [])
        assert not left(world, EWA)
        assert "discarded" in world.sendmail.log()


def test_programs(world: SendmailWorld) -> None:
    """The command sendmail, sent to the stream's port by submit.cf, has its mail signed."""
    path = world.sendmail.configuration / "submit.cf"
    ports = world.sendmail.ports
    path.write_text(path.read_text().replace(f"TCP $h {ports['smtp']}", f"TCP $h {ports[SERVICE]}"))
    world.sendmail.sendmail(["-f", "news@own.test", "--", ANNA], letter(ANNA))
    world.sendmail.wait_for(lambda: left(world, ANNA))
    assert left(world, ANNA)[0].sender.startswith("b+anna=remote.test=")


def test_dead_milter(world: SendmailWorld) -> None:
    """While the milter is away the stream's mail is deferred, and other mail leaves."""
    world.daemon.kill()
    assert submit(world, ANNA).mail.code == 451
    assert submit(world, OLA, service="smtp").accepted


def test_doctor(world: SendmailWorld) -> None:
    """The doctor sees each feed where return paths are signed, too: its own bounces are recorded, never counted."""
    found = diagnose(world)
    assert {name for name, each in found.items() if each.level is not Level.OK} <= {"passed mail"}
    assert sum("came in by the sink" in each.text for each in found.values()) == 2

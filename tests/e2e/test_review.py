"""Mails that somebody forwards to review@, from a real Postfix to the store, and on to people."""

from __future__ import annotations

from email import message_from_bytes, utils
from pathlib import Path

import pytest

from tests.e2e.conftest import RETURN_PATHS, SinkWorld, sink_world, verp
from tests.outlook.writing import msg
from tests.rig import mail
from tests.rig.forward import REVIEW, file, forward, message
from tests.rig.peer import Peer

pytestmark = pytest.mark.servers

NIKT = "nikt@remote.test"
JAN = "jan@klient.test"


def today(raw: bytes) -> bytes:
    """A mail of today."""
    return raw.replace(b"Mon, 05 Jan 2026 09:00:00 +0100", utils.formatdate().encode())


def passed(world: SinkWorld, count: int = 1) -> list[bytes]:
    """The values of X-Bouncemilter of the mails that were passed to people, once there are so many."""
    folder = world.daemon.state / "passed" / "new"
    world.daemon.wait_for(lambda: folder.is_dir() and len(list(folder.iterdir())) == count)
    found = (message_from_bytes(each.read_bytes())["X-Bouncemilter"] for each in folder.iterdir())
    return sorted(each.encode() for each in found)


def review(world: SinkWorld, *parts: bytes) -> None:
    """Somebody in the office forwards mails."""
    assert world.postfix.inject("szef@own.test", [REVIEW], forward(*parts)).accepted


def test_a_forwarded_bounce(sinking: SinkWorld) -> None:
    """Two bounces that a colleague forwards, one out of Outlook, suppress; his mail reaches people with the verdict."""
    headers = "From: news@own.test\r\nMessage-ID: <outlook@own.test>\r\n\r\n"
    outlook = msg(
        {0x1A: "REPORT.IPM.Note.NDR", 0x7D: headers},
        [{0x39FE: NIKT, 0xC1B: "<mx.remote.test #5.1.1 smtp;550 5.1.1 User unknown>"}],
    )
    review(sinking, message(today(mail.dsn("news@own.test", NIKT))))
    review(sinking, file("Zwrot.msg", outlook, "application/vnd.ms-outlook"))
    assert passed(sinking, 2) == [b"review; attached=1; bounce hard/user_unknown"] * 2
    assert sinking.daemon.suppressed(NIKT)
    assert {each["event"]["trust"] for each in sinking.daemon.why(NIKT)["events"]} == {"plausible"}
    assert sinking.daemon.balances("sink") == (2, 2, 2)
    sinking.postfix.wait_for(lambda: sinking.postfix.queue() == [])
    assert sinking.everything_in_mailboxes() == []


def test_a_hostile_forward(sinking: SinkWorld) -> None:
    """A forged token, strangers' bounces, people's mail, nested mails and broken files suppress nobody, eat nothing."""
    stranger = today(mail.dsn("b@far.test", JAN)).replace(b"own.test", b"far.test")
    nested = today(mail.dsn(verp(NIKT), NIKT))
    for _ in range(50):
        nested = forward(message(nested))
    token = f"b+{'a' * 40}={NIKT.replace('@', '=')}@{RETURN_PATHS}"
    forged = today(mail.dsn(token, NIKT)).replace(b"@own.test", b"@far.test")
    review(
        sinking,
        *(
            message(each)
            for each in (forged, stranger, mail.out_of_office(verp(NIKT), NIKT), mail.letter("ewa@own.test"))
        ),
        message(nested),
        file("a.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600),
    )
    assert passed(sinking) == [b"review; attached=6; 2 x bounce hard/user_unknown, 2 x mail, auto_reply, unreadable"]
    for address in (NIKT, JAN):
        assert not sinking.daemon.suppressed(address)
        assert {each["event"]["trust"] for each in sinking.daemon.why(address)["events"]} == {"none"}
    assert sinking.daemon.why("jan@klient.test")["events"][0]["decision"]["effect"] == "recorded"
    review(sinking, *(message(stranger.replace(JAN.encode(), f"u{n}@klient.test".encode())) for n in range(1000)))
    assert (
        passed(sinking, 2)[-1] == b"review; attached=6; 2 x bounce hard/user_unknown, 2 x mail, auto_reply, unreadable"
    )
    assert b"review; attached=20 of more; 20 x bounce hard/user_unknown" in passed(sinking, 2)
    received, judged, disposed = sinking.daemon.balances("sink")
    assert (received, judged, disposed) == (25, 25, 25)
    assert sinking.daemon.metric("bouncemilter_internal_errors_total", front="sink") == 0


def test_a_forward_waits_for_people_s_server(folder: Path, peer: Peer) -> None:
    """While people's server is down the forward waits in Postfix; what was attached to it counts once all the same."""
    with Peer() as office:
        port = office.port
    socket = folder / "daemon" / "sockets" / "lmtp.sock"
    tables = (
        f'[sink]\nforward_to = "127.0.0.1:{port}"\n[[sink.listener]]\nprotocol = "lmtp"\naddress = "unix:{socket}"\n'
    )
    with sink_world(folder, peer, tables) as world:
        review(world, message(today(mail.dsn("news@own.test", NIKT))))
        world.postfix.wait_for(lambda: "status=deferred" in world.postfix.log())
        assert len(world.daemon.why(NIKT)["events"]) == 1
        world.postfix.flush()
        world.daemon.wait_for(lambda: world.daemon.metric("bouncemilter_duplicates_total", front="sink") >= 1)
        assert len(world.daemon.why(NIKT)["events"]) == 1
        assert world.daemon.metric("bouncemilter_disposed_total", front="sink", disposition="tempfail") >= 2

"""From a real Postfix through the sink to a suppression."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import RETURN_PATHS, SinkWorld, sink_world, verp
from tests.rig import mail
from tests.rig.peer import Peer

pytestmark = pytest.mark.servers

NIKT = "nikt@remote.test"


def test_postfix_s_own_bounce_suppresses_at_once(sinking: SinkWorld) -> None:
    """A mailing that a peer refuses bounces inside Postfix; seconds later its recipient is suppressed, tier `local`."""
    sinking.postfix.inject(verp(NIKT), [NIKT], mail.letter(NIKT), "inject")
    sinking.daemon.wait_for(lambda: sinking.daemon.metric("bouncemilter_suppressions_total") == 1)
    found = sinking.daemon.why("Nikt@REMOTE.test")
    assert found["suppressed"]
    assert found["events"][0]["event"]["trust"] == "local"
    assert found["suppressions"][0]["category"] == "user_unknown"
    assert sinking.everything_in_mailboxes() == []
    sinking.postfix.wait_for(lambda: sinking.postfix.queue() == [])


def test_the_same_from_outside_needs_a_second_message(sinking: SinkWorld) -> None:
    """A report from elsewhere is `plausible`: the first message is counted, the second suppresses."""
    for expected in (False, True):
        exchange = sinking.postfix.inject("", [verp(NIKT)], mail.dsn(verp(NIKT), NIKT))
        assert exchange.accepted
        events = 2 if expected else 1
        sinking.daemon.wait_for(lambda events=events: len(sinking.daemon.why(NIKT)["events"]) == events)
        assert sinking.daemon.suppressed(NIKT) is expected
    assert {each["event"]["trust"] for each in sinking.daemon.why(NIKT)["events"]} == {"plausible"}
    assert sinking.everything_in_mailboxes() == []


def test_a_report_forged_by_a_local_user_is_not_taken_for_postfix_s_own(sinking: SinkWorld) -> None:
    """`sendmail -f '<>'` looks local to XFORWARD, but its Received header names the user."""
    sinking.postfix.sendmail(["-f", "<>", verp(NIKT)], mail.dsn(verp(NIKT), NIKT))
    sinking.daemon.wait_for(lambda: sinking.daemon.why(NIKT)["events"])
    assert sinking.daemon.why(NIKT)["events"][0]["event"]["trust"] == "plausible"


def test_an_out_of_office_is_not_counted(sinking: SinkWorld) -> None:
    """An auto-reply to a return path is a sign of life, and goes to no mailbox."""
    sinking.postfix.inject(NIKT, [verp(NIKT)], mail.out_of_office(verp(NIKT), NIKT))
    sinking.daemon.wait_for(lambda: sinking.daemon.why(NIKT)["events"])
    assert sinking.daemon.why(NIKT)["events"][0]["decision"]["effect"] == "success"
    assert sinking.everything_in_mailboxes() == []


def test_a_human_s_mail_to_a_return_path_is_forwarded_unchanged(folder: Path, peer: Peer) -> None:
    """What a person wrote reaches `forward_to` with its sender, octet for octet but for our own header."""
    with Peer() as office:
        tables = f'[sink]\nforward_to = "127.0.0.1:{office.port}"\n'
        with sink_world(folder, peer, _with_listener(folder, tables)) as world:
            written = mail.letter(verp(NIKT), NIKT)
            world.postfix.inject(NIKT, [verp(NIKT)], written)
            world.daemon.wait_for(lambda: office.accepted)
            (got,) = office.accepted
            assert got.sender == NIKT
            assert got.recipients == (verp(NIKT),)
            assert b"\nX-Bouncemilter: mail\r\n" in b"\n" + got.message
            assert got.message.replace(b"\r\n", b"\n").endswith(written)
            assert world.daemon.why(NIKT)["events"] == []


def test_a_human_s_mail_waits_while_nobody_takes_it(folder: Path, peer: Peer) -> None:
    """With `forward_to` down, Postfix keeps the mail, and it arrives once when somebody listens again."""
    with Peer() as office:
        port = office.port
    tables = f'[sink]\nforward_to = "127.0.0.1:{port}"\n'
    with sink_world(folder, peer, _with_listener(folder, tables)) as world:
        world.postfix.inject(NIKT, [verp(NIKT)], mail.letter(verp(NIKT), NIKT))
        world.postfix.wait_for(lambda: "status=deferred" in world.postfix.log())
        assert [each["queue_name"] for each in world.postfix.queue()] == ["deferred"]
        assert world.daemon.metric("bouncemilter_disposed_total", disposition="tempfail") >= 1


def _with_listener(folder: Path, tables: str) -> str:
    """`tables` of [sink] with the rig's own listener, which they would replace."""
    socket = folder / "daemon" / "sockets" / "lmtp.sock"
    return f'{tables}[[sink.listener]]\nprotocol = "lmtp"\naddress = "unix:{socket}"\n'


def test_without_forward_to_a_human_s_mail_lies_in_the_maildir(sinking: SinkWorld) -> None:
    """Until somebody configures `forward_to`, nothing that a person wrote is lost."""
    written = mail.letter(verp(NIKT), NIKT)
    sinking.postfix.inject(NIKT, [verp(NIKT)], written)
    passed = sinking.daemon.state / "passed" / "new"
    sinking.daemon.wait_for(lambda: passed.is_dir() and list(passed.iterdir()))
    (path,) = passed.iterdir()
    assert path.read_bytes().replace(b"\r\n", b"\n").endswith(written)
    assert sinking.daemon.metric("bouncemilter_passed_maildir_messages") == 1


def test_nobody_at_the_return_path_domain_is_refused_on_port_25(folder: Path, peer: Peer) -> None:
    """With the printed recipient map smtpd itself refuses what is no return path, so no bounce is born."""
    pattern = folder / "recipients"
    pattern.write_text(f"/^b(\\+.*)?@{RETURN_PATHS.replace('.', '[.]')}$/ OK\n/^(postmaster|abuse)@/ OK\n")
    parameters = {
        "relay_domains": RETURN_PATHS,
        "relay_recipient_maps": f"regexp:{pattern}",
        "smtpd_relay_restrictions": "reject_unauth_destination",
    }
    with sink_world(folder, peer, parameters=parameters) as world:
        exchange = world.postfix.inject("x@remote.test", [f"nobody@{RETURN_PATHS}"], mail.letter("nobody"))
        assert exchange.rcpt[f"nobody@{RETURN_PATHS}"].code == 550
        assert world.postfix.inject("", [verp(NIKT)], mail.dsn(verp(NIKT), NIKT)).accepted
        world.daemon.wait_for(lambda: world.daemon.why(NIKT)["events"])
        world.postfix.wait_for(lambda: world.postfix.queue() == [])
        assert peer.accepted == []
        assert "nobody@" not in world.daemon.report()


def test_postmaster_of_the_return_path_domain_is_passed_on_unread(sinking: SinkWorld) -> None:
    """postmaster@ of the return-path domain is for people, whatever comes."""
    sinking.postfix.inject("", [f"postmaster@{RETURN_PATHS}"], mail.dsn("postmaster", NIKT))
    passed = sinking.daemon.state / "passed" / "new"
    sinking.daemon.wait_for(lambda: passed.is_dir() and list(passed.iterdir()))
    assert sinking.daemon.why(NIKT)["events"] == []


def test_both_balances_close(sinking: SinkWorld) -> None:
    """After bounces, duplicates and letters, what was received is what was judged and what was disposed of."""
    report = mail.dsn(verp(NIKT), NIKT)
    for each in (report, report, mail.letter(verp(NIKT))):
        sinking.postfix.inject("", [verp(NIKT)], each)
    sinking.daemon.wait_for(lambda: sinking.daemon.balances("sink") == (3, 3, 3))
    assert sinking.daemon.metric("bouncemilter_duplicates_total", front="sink") == 1

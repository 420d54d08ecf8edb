"""From a real Sendmail, with the printed lines, by SMTP through the milter and by the mailertable to the sink."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import verp
from tests.rig import mail
from tests.rig.peer import Peer
from tests.rig.sendmail import safe_folder
from tests.rig.sendmail_world import SendmailWorld, sendmail_world

pytestmark = pytest.mark.servers

NIKT = "nikt@remote.test"
WATCHED = "newsletter@own.test"
INBOUND = f'[inbound]\nown_domains = ["own.test"]\naddresses = ["{WATCHED}"]\n'
LOCAL_PATHS = '[[return_path]]\ndomain = "own.test"\nprefix = "b"\nsender_domains = ["own.test"]\n'


@pytest.fixture
def safe() -> Iterator[Path]:
    """A folder that Sendmail trusts."""
    with safe_folder() as found:
        yield found


@pytest.fixture
def world(safe: Path, peer: Peer) -> Iterator[SendmailWorld]:
    """Both fronts."""
    with sendmail_world(safe, peer, INBOUND) as found:
        yield found


def test_own_reports_reach_the_sink(world: SendmailWorld) -> None:
    """A peer's 550 at RCPT becomes Sendmail's own report, which the mailertable brings to the sink: it suppresses."""
    for number in (1, 2):
        world.sendmail.inject(verp(NIKT), [NIKT], mail.letter(NIKT), "inject")
        world.daemon.wait_for(lambda number=number: len(world.events(NIKT)) == number)
    assert {(each["front"], each["category"]) for each in world.events(NIKT)} == {("sink", "user_unknown")}
    assert world.daemon.suppressed(NIKT)
    world.sendmail.wait_for(lambda: world.sendmail.queue() == [])
    assert world.sendmail.mailboxes() == []
    assert world.daemon.metric("bouncemilter_received_total", front="milter") == 0


def test_reports_from_outside_reach_the_sink(world: SendmailWorld) -> None:
    """A remote report to a return path, in whatever case, goes the same way."""
    for to in (verp(NIKT), verp(NIKT).swapcase()):
        assert world.sendmail.inject("", [to], mail.dsn(to, NIKT)).accepted
    world.daemon.wait_for(lambda: world.daemon.suppressed(NIKT))
    assert {each["front"] for each in world.events(NIKT)} == {"sink"}


def test_port_25_refuses_at_rcpt(world: SendmailWorld) -> None:
    """At the return-path domain nobody but return paths, postmaster@ and abuse@ lives, so no report is born."""
    taken = [verp(NIKT), "b@bounces.own.test", "Postmaster@bounces.own.test", "ABUSE@Bounces.Own.TEST"]
    refused = ["jan@bounces.own.test", "bb+x=remote.test@bounces.own.test", "b-x@bounces.own.test"]
    found = world.sendmail.inject("x@remote.test", [*taken, *refused], mail.letter("x"))
    assert [found.rcpt[each].code for each in taken] == [250] * len(taken)
    assert {found.rcpt[each] for each in refused} == {(550, f"5.1.1 <{each}>... User unknown") for each in refused}


def test_watched_address(world: SendmailWorld) -> None:
    """A report by SMTP to a watched address is recorded and discarded by the milter: queue and mailbox stay empty."""
    assert world.sendmail.inject("", [WATCHED], mail.dsn(WATCHED, NIKT)).accepted
    assert [(each["front"], each["category"]) for each in world.events(NIKT)] == [("milter", "user_unknown")]
    world.sendmail.wait_for(lambda: world.sendmail.queue() == [])
    assert world.sendmail.mailboxes() == []


def test_return_path_without_sink(safe: Path, peer: Peer) -> None:
    """Without a sink the milter takes the return paths that come by SMTP; Sendmail's own reports pass it by."""
    with sendmail_world(safe, peer, INBOUND + LOCAL_PATHS, sink=False) as world:
        path = "b+nikt=remote.test@own.test"
        assert world.sendmail.inject("", [path], mail.dsn(path, NIKT)).accepted
        assert [each["front"] for each in world.events(NIKT)] == ["milter"]
        assert world.sendmail.mailboxes() == []
        world.sendmail.inject(path, [NIKT], mail.letter(NIKT))
        [report] = world.sendmail.wait_for(world.sendmail.mailboxes)
        assert b"report-type=delivery-status" in report
        assert len(world.events(NIKT)) == 1


def test_other_mail_is_untouched(world: SendmailWorld) -> None:
    """An employee's bounce, a receipt and a letter are delivered as without the milter."""
    for message in (mail.dsn("jan@own.test", NIKT), mail.receipt("jan@own.test", NIKT), mail.letter("jan@own.test")):
        assert world.sendmail.inject("", ["jan@own.test"], message).accepted
    world.sendmail.inject("jan@own.test", [NIKT], mail.letter(NIKT))
    world.sendmail.wait_for(lambda: len(world.sendmail.mailbox("jan")) == 4)
    assert not any(b"X-Bouncemilter" in each for each in world.sendmail.mailbox("jan"))
    assert world.events(NIKT) == []
    assert world.daemon.metric("bouncemilter_received_total") == 0


def test_a_human_s_mail_to_a_watched_address(world: SendmailWorld) -> None:
    """What a person wrote is delivered, with our header; an incoming copy of that is removed."""
    written = mail.letter(WATCHED)
    world.sendmail.inject("jan@klient.test", [WATCHED], b"X-Bouncemilter: forged\n" + written)
    [got] = world.sendmail.wait_for(lambda: world.sendmail.mailbox("newsletter"))
    assert got.count(b"X-Bouncemilter") == 1
    assert b"\nX-Bouncemilter: mail\n" in got
    assert got.endswith(b"\n\n" + written.partition(b"\n\n")[2])


def test_one_of_three_recipients_is_ours(world: SendmailWorld) -> None:
    """Ours is taken out of the message, the two others get it untouched."""
    report = mail.dsn(WATCHED, NIKT)
    assert world.sendmail.inject("", ["jan@own.test", WATCHED, "ola@own.test"], report).accepted
    for local_part in ("jan", "ola"):
        [got] = world.sendmail.wait_for(lambda local_part=local_part: world.sendmail.mailbox(local_part))
        assert b"X-Bouncemilter" not in got
        assert got.endswith(report.partition(b"\n\n")[2])
    assert world.sendmail.mailbox("newsletter") == []
    assert len(world.events(NIKT)) == 1


def test_a_dead_daemon(world: SendmailWorld) -> None:
    """While it is dead other mail is delivered, and what goes to the sink waits in the queue and comes afterwards."""
    world.daemon.kill()
    assert world.sendmail.inject("", [verp(NIKT)], mail.dsn(verp(NIKT), NIKT)).accepted
    assert world.sendmail.inject("jan@klient.test", ["ola@own.test"], mail.letter("ola@own.test")).accepted
    world.sendmail.wait_for(lambda: world.sendmail.mailbox("ola"))
    world.sendmail.wait_for(lambda: "stat=Deferred" in world.sendmail.log())
    assert len(world.sendmail.queue()) == 1
    world.daemon.start()
    world.daemon.wait_for(lambda: world.events(NIKT))
    world.sendmail.wait_for(lambda: world.sendmail.queue() == [])


def test_both_balances_close(world: SendmailWorld) -> None:
    """Bounce, duplicate and letter: received is what was judged, and what was disposed of."""
    report = mail.dsn(WATCHED, NIKT)
    for each in (report, report, mail.letter(WATCHED)):
        world.sendmail.inject("", [WATCHED], each)
    world.daemon.wait_for(lambda: world.daemon.balances("milter") == (3, 3, 3))
    assert world.daemon.metric("bouncemilter_duplicates_total", front="milter") == 1

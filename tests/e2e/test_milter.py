"""From a real Postfix through the milter, on the smtpd and on the non_smtpd path."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import verp
from tests.rig import mail
from tests.rig.daemon import Daemon
from tests.rig.peer import Peer
from tests.rig.postfix import Postfix

pytestmark = pytest.mark.servers

NIKT = "nikt@remote.test"
RETURN_PATH = "b+nikt=remote.test@own.test"
WATCHED = "newsletter@own.test"
TABLES = f"""
[[return_path]]
domain = "own.test"
prefix = "b"
sender_domains = ["own.test"]

[inbound]
own_domains = ["own.test"]
addresses = ["{WATCHED}"]
"""


@dataclass
class MilterWorld:
    """Postfix delivers own.test itself, and shows its mail and its own bounces to the milter."""

    daemon: Daemon
    postfix: Postfix
    peer: Peer

    def nothing_is_left(self) -> bool:
        """Whether queue and mailboxes are empty."""
        return self.postfix.queue() == [] and not list((self.postfix.folder / "mail").rglob("new/*"))

    def events(self, address: str) -> list[dict[str, object]]:
        """The events of an address."""
        found: list[dict[str, object]] = [each["event"] for each in self.daemon.why(address)["events"]]
        return found


@contextlib.contextmanager
def milter_world(folder: Path, peer: Peer, tables: str = TABLES) -> Iterator[MilterWorld]:
    """A world whose settings a test may set."""
    daemon = Daemon(folder / "daemon", tables, sink=False)
    milter = f"{{ unix:{daemon.milter}, default_action=tempfail, command_timeout=10s }}"
    postfix = Postfix(
        folder / "postfix",
        mailboxes=["jan@own.test", "ola@own.test", WATCHED, "b@own.test"],
        transports={"remote.test": peer.transport},
        milters=milter,
        non_smtpd_milters=milter,
        parameters={"internal_mail_filter_classes": "bounce", "recipient_delimiter": "+"},
    )
    with daemon, postfix:
        yield MilterWorld(daemon, postfix, peer)


@pytest.fixture
def world(folder: Path, peer: Peer) -> Iterator[MilterWorld]:
    """The usual one."""
    with milter_world(folder, peer) as found:
        yield found


def test_postfix_s_own_bounce_never_enters_the_queue(world: MilterWorld) -> None:
    """The MTA's report on the non_smtpd path is stored and discarded: no queue file, no mailbox."""
    world.postfix.inject(RETURN_PATH, [NIKT], mail.letter(NIKT), "inject")
    world.daemon.wait_for(lambda: world.events(NIKT))
    world.postfix.wait_for(world.nothing_is_left)
    (event,) = world.events(NIKT)
    assert (event["front"], event["category"], event["trust"]) == ("milter", "user_unknown", "plausible")


def test_local_users_may_be_trusted(folder: Path, peer: Peer) -> None:
    """With `trust_local_users` the same report is `local`, and one message is enough."""
    socket = folder / "daemon" / "sockets" / "milter.sock"
    tables = f'{TABLES}\n[milter]\nenabled = true\nsocket = "unix:{socket}"\ntrust_local_users = true\n'
    with milter_world(folder, peer, tables) as world:
        world.postfix.inject(RETURN_PATH, [NIKT], mail.letter(NIKT), "inject")
        world.daemon.wait_for(lambda: world.daemon.suppressed(NIKT))
        assert world.events(NIKT)[0]["trust"] == "local"


def test_a_report_from_outside_is_taken_at_smtp_time(world: MilterWorld) -> None:
    """The SMTP client gets 250, the event is on disk, queue and mailbox stay empty."""
    for to in (RETURN_PATH, WATCHED):
        exchange = world.postfix.inject("", [to], mail.dsn(to, NIKT))
        assert exchange.accepted
    assert len(world.events(NIKT)) == 2
    assert world.nothing_is_left()
    assert world.daemon.suppressed(NIKT)
    assert "milter-discard" in world.postfix.log()


def test_an_employee_s_typo_bounces_to_the_employee(world: MilterWorld) -> None:
    """A bounce, a success report and a receipt to an address that is not ours are delivered, unmarked and unread."""
    world.postfix.inject("jan@own.test", [NIKT], mail.letter(NIKT), "inject")
    world.postfix.wait_for(lambda: len(world.postfix.mailbox("jan@own.test")) == 1)
    world.postfix.inject(
        "jan@own.test", ["ola@remote.test"], mail.letter("ola@remote.test"), "inject", rcpt_options=["NOTIFY=SUCCESS"]
    )
    world.postfix.wait_for(lambda: len(world.postfix.mailbox("jan@own.test")) == 2)
    for each in (mail.dsn("jan@own.test", NIKT), mail.receipt("jan@own.test", NIKT)):
        assert world.postfix.inject("", ["jan@own.test"], each).accepted
    world.postfix.wait_for(lambda: len(world.postfix.mailbox("jan@own.test")) == 4)
    world.postfix.sendmail(["-f", "<>", "jan@own.test"], mail.receipt("jan@own.test", NIKT))
    world.postfix.wait_for(lambda: len(world.postfix.mailbox("jan@own.test")) == 5)
    assert not any(b"X-Bouncemilter" in each for each in world.postfix.mailbox("jan@own.test"))
    assert world.events(NIKT) == []
    assert world.daemon.metric("bouncemilter_received_total") == 0


def test_a_human_s_mail_to_a_watched_address_is_delivered(world: MilterWorld) -> None:
    """What a person wrote arrives, unchanged but for our header; an incoming copy of it is removed."""
    written = mail.letter(WATCHED, subject="Re: 550 5.1.1 user unknown")
    world.postfix.inject("jan@klient.test", [WATCHED], b"X-Bouncemilter: forged\n" + written)
    world.postfix.wait_for(lambda: world.postfix.mailbox(WATCHED))
    (got,) = world.postfix.mailbox(WATCHED)
    assert got.count(b"X-Bouncemilter") == 1
    assert b"X-Bouncemilter: mail\n" in got
    without = got.replace(b"X-Bouncemilter: mail\n", b"")
    head, _, body = written.partition(b"\n\n")
    assert without.endswith(b"\n\n" + body)
    assert head in without


def test_a_human_s_mail_to_a_return_path_is_delivered(world: MilterWorld) -> None:
    """A return path that is delivered here may get letters, too."""
    world.postfix.inject("jan@klient.test", [RETURN_PATH], mail.letter(RETURN_PATH))
    world.postfix.wait_for(lambda: world.postfix.mailbox("b@own.test"))


def test_one_of_three_recipients_is_ours(world: MilterWorld) -> None:
    """A report to three addresses: ours is consumed, the two others get it untouched."""
    report = mail.dsn(WATCHED, NIKT)
    assert world.postfix.inject("", ["jan@own.test", WATCHED, "ola@own.test"], report).accepted
    world.postfix.wait_for(lambda: world.postfix.mailbox("ola@own.test") and world.postfix.mailbox("jan@own.test"))
    world.postfix.wait_for(lambda: world.postfix.queue() == [])
    for each in ("jan@own.test", "ola@own.test"):
        (got,) = world.postfix.mailbox(each)
        assert b"X-Bouncemilter" not in got
        assert got.endswith(report.partition(b"\n\n")[2])
    assert world.postfix.mailbox(WATCHED) == []
    assert len(world.events(NIKT)) == 1


def test_a_dead_daemon_defers_and_loses_nothing(world: MilterWorld) -> None:
    """While the milter is dead its default action decides; here Postfix defers, and takes the mail afterwards."""
    world.daemon.kill()
    assert world.postfix.inject("", [WATCHED], mail.dsn(WATCHED, NIKT)).mail.code in (451, 421)
    world.daemon.start()
    assert world.postfix.inject("", [WATCHED], mail.dsn(WATCHED, NIKT)).accepted
    assert len(world.events(NIKT)) == 1


def test_both_balances_close(world: MilterWorld) -> None:
    """Bounce, duplicate and letter: received is what was judged, and what was disposed of."""
    report = mail.dsn(WATCHED, NIKT)
    for each in (report, report, mail.letter(WATCHED)):
        world.postfix.inject("", [WATCHED], each)
    world.daemon.wait_for(lambda: world.daemon.balances("milter") == (3, 3, 3))
    assert world.daemon.metric("bouncemilter_duplicates_total", front="milter") == 1


def test_with_both_fronts_return_paths_are_the_sink_s(folder: Path, peer: Peer) -> None:
    """Postfix's own bounce to a routed return path passes the milter unread, so that the sink can prove its origin."""
    daemon = Daemon(folder / "daemon", f'[inbound]\nown_domains = ["own.test"]\naddresses = ["{WATCHED}"]\n')
    milter = f"{{ unix:{daemon.milter}, default_action=tempfail }}"
    postfix = Postfix(
        folder / "postfix",
        mailboxes=[WATCHED],
        transports={"bounces.own.test": f"lmtp:unix:{daemon.lmtp}", "remote.test": peer.transport},
        milters=milter,
        non_smtpd_milters=milter,
        parameters={"internal_mail_filter_classes": "bounce", "lmtp_send_xforward_command": "yes"},
    )
    with daemon, postfix:
        postfix.inject(verp(NIKT), [NIKT], mail.letter(NIKT), "inject")
        daemon.wait_for(lambda: daemon.suppressed(NIKT))
        assert daemon.why(NIKT)["events"][0]["event"]["trust"] == "local"
        assert postfix.inject("", [WATCHED], mail.dsn(WATCHED, NIKT)).accepted
        assert daemon.metric("bouncemilter_received_total", front="milter") == 1

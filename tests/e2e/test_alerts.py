"""The daemon's mails to the operator, through a real Postfix that shows all mail to our own milter and sink."""

from __future__ import annotations

import contextlib
import datetime as dt
import email
import email.policy
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.e2e.conftest import RETURN_PATHS, verp
from tests.rig import mail
from tests.rig.daemon import Daemon
from tests.rig.peer import Peer
from tests.rig.postfix import Postfix

pytestmark = pytest.mark.servers

HASTE = Path(__file__).parent / "haste"
ADMIN = "admin@own.test"
WATCHED = "newsletter@own.test"
LISTED = "554 5.7.1 <{}>: Service unavailable; client host [192.0.2.1] blocked using zen.spamhaus.org"
SUBJECT = "[bouncemilter mx.rig.test] Twój serwer lub domena na czarnej liście"
DIGEST = "[bouncemilter mx.rig.test] raport dzienny"
UNREAD = "[bouncemilter mx.rig.test] czekają nieprzeczytane wiadomości od ludzi"


@dataclass
class World:
    """Postfix delivers own.test itself, and brings the return paths to the sink; the milter sees all mail."""

    daemon: Daemon
    postfix: Postfix

    def got(self) -> list[EmailMessage]:
        """What the operator has in the mailbox."""
        found = [email.message_from_bytes(each, policy=email.policy.default) for each in self.postfix.mailbox(ADMIN)]
        assert all(isinstance(each, EmailMessage) for each in found)
        return found  # type: ignore[return-value]

    def subjects(self) -> list[str]:
        """Theirs, in alphabetical order."""
        return sorted(each["Subject"] for each in self.got())

    def is_listed(self) -> None:
        """A mail to somebody comes back for a blocklist."""
        address = "ewa@klient.test"
        self.postfix.inject("", [verp(address)], mail.dsn(verp(address), address, LISTED))

    def classified(self, kind: str) -> float:
        """Messages of a kind, from both fronts."""
        return self.daemon.metric("bouncemilter_classified_total", kind=kind)

    def looks(self) -> None:
        """Wait for some more looks of the daemon at its host."""
        time.sleep(1)


@contextlib.contextmanager
def world(
    folder: Path,
    alerts: str,
    *,
    transports: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
    start: bool = True,
) -> Iterator[World]:
    """A world with these lines in [alerts]; with `start` Postfix runs from the beginning."""
    daemon = Daemon(folder / "daemon", environment={"PYTHONPATH": f"{HASTE}:{Path.cwd()}"})
    milter = f"{{ unix:{daemon.milter}, default_action=tempfail, command_timeout=10s }}"
    postfix = Postfix(
        folder / "postfix",
        mailboxes=[ADMIN, "ewa@own.test", WATCHED],
        transports={RETURN_PATHS: f"lmtp:unix:{daemon.lmtp}", **(transports or {})},
        milters=milter,
        non_smtpd_milters=milter,
        parameters={
            "internal_mail_filter_classes": "bounce",
            "lmtp_send_xforward_command": "yes",
            **(parameters or {}),
        },
    )
    daemon.configure(f"""
[inbound]
own_domains = ["own.test"]
addresses = ["{WATCHED}"]
[alerts]
smtp = "127.0.0.1:{postfix.ports["smtp"]}"
language = "pl"
disk_low_percent = 1
digest_hour = 0
{alerts}
""")
    daemon.config.write_text(f'hostname = "mx.rig.test"\n{daemon.config.read_text()}')
    with contextlib.ExitStack() as running:
        if start:
            running.enter_context(postfix)
        else:
            running.callback(postfix.kill)
        running.enter_context(daemon)
        yield World(daemon, postfix)


@pytest.fixture
def empty(folder: Path) -> Iterator[World]:
    """The usual one, without a digest."""
    with world(folder, f'mail_to = ["{ADMIN}"]\ndigest = "never"') as found:
        yield found


def test_what_arrives(folder: Path) -> None:
    """An alert and a digest lie in a mailbox as any mail program wants them: whole headers, the null sender, Polish
    letters, seven bits, short lines. Our own milter has let them pass unread.
    """
    with world(folder, f'mail_to = ["{ADMIN}", "Ewa@own.test"]') as found:
        found.daemon.wait_for(lambda: found.subjects() == [DIGEST])
        found.is_listed()
        found.daemon.wait_for(lambda: len(found.got()) == 2)
        found.looks()
        assert found.subjects() == sorted([SUBJECT, DIGEST])
        assert len(found.postfix.mailbox("ewa@own.test")) == 2
        for each in found.got():
            assert not each.defects
            assert each["Return-Path"] == "<>"
            assert each["From"].addresses[0].addr_spec == "bouncemilter@mx.rig.test"
            assert [to.addr_spec for to in each["To"].addresses] == [ADMIN, "Ewa@own.test"]
            assert abs(each["Date"].datetime - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)
            assert each["Message-ID"].endswith(".bouncemilter-alert@mx.rig.test>")
            assert (each["Auto-Submitted"], each.get_content_charset()) == ("auto-generated", "utf-8")
            assert "X-Bouncemilter" not in each
        for raw in found.postfix.mailbox(ADMIN):
            assert raw.isascii()
            assert max(map(len, raw.splitlines())) <= 998
            assert max(map(len, raw.partition(b"\n\n")[2].splitlines())) <= 76
        (alert,) = [each for each in found.got() if each["Subject"] == SUBJECT]
        assert "! czarne listy: Spamhaus: odmowy w ciągu 24 godzin: 1; usuń przyczynę" in alert.get_content()
        assert "https://check.spamhaus.org/" in alert.get_content()
        assert found.daemon.metric("bouncemilter_received_total", front="milter") == 0


def test_undeliverable(folder: Path) -> None:
    """An alert that the operator's mail server refuses is gone: nothing comes back, nothing is recorded of the
    operator, and no other mail is born.
    """
    with Peer(rcpt={"nikt@remote.test": "550 5.1.1 no such user"}) as peer:
        alerts = 'mail_to = ["nikt@remote.test"]\ndigest = "never"'
        with world(folder, alerts, transports={"remote.test": peer.transport}) as found:
            found.is_listed()
            found.postfix.wait_for(lambda: "status=bounced" in found.postfix.log())
            found.postfix.wait_for(lambda: found.postfix.queue() == [])
            found.looks()
            assert found.daemon.why("nikt@remote.test")["events"] == []
            assert found.classified("bounce") == 1
            assert found.daemon.metric("bouncemilter_alerts_total", outcome="sent") == 1
            assert list((found.postfix.folder / "mail").rglob("new/*")) == []


def test_comes_back(folder: Path) -> None:
    """A host that bounces and answers to From, and a loop to a return path: with From a return path and a watched
    address nobody is a bounce by it, nobody is answered, and the mails are as many as the things to tell.
    """
    returns_to = f"b@{RETURN_PATHS}"
    with world(folder, f'mail_to = ["{ADMIN}"]\ndigest = "never"\nmail_from = "{returns_to}"') as found:
        found.is_listed()
        found.daemon.wait_for(lambda: found.subjects() == [SUBJECT])
        (alert,) = found.postfix.mailbox(ADMIN)
        head = alert[alert.index(b"From: ") :].partition(b"\n\n")[0]
        for number, to in enumerate([returns_to, WATCHED]):
            bounce = mail.dsn(to, ADMIN)
            start, end = bounce.index(b"From: news@own.test"), bounce.rindex(b"\n\n--far")
            found.postfix.inject("", [to], bounce[:start] + head + bounce[end:])
            found.postfix.inject("", [to], alert + b"%d\n" % number)
        found.daemon.wait_for(lambda: found.classified("mail") == 4)
        found.daemon.wait_for(lambda: UNREAD in found.subjects())
        found.looks()
        assert found.subjects() == sorted([SUBJECT, UNREAD])
        assert found.classified("bounce") == 1
        assert found.daemon.why(ADMIN)["events"] == []
        assert len(found.postfix.mailbox(WATCHED)) == 2
        assert found.postfix.queue() == []


def test_not_taken(folder: Path) -> None:
    """While Postfix is down, then refuses the null sender, it is tried again, and comes once in the end."""
    refusal = {"smtpd_delay_reject": "no", "smtpd_sender_restrictions": "check_sender_access static:REJECT"}
    with world(folder, f'mail_to = ["{ADMIN}"]', parameters=refusal, start=False) as found:
        found.daemon.wait_for(lambda: found.daemon.metric("bouncemilter_alerts_total", outcome="failed") >= 2)
        found.postfix.start()
        found.daemon.wait_for(lambda: any("Access denied" in str(each) for each in found.daemon.log()))
        assert found.got() == []
        found.postfix.reload(smtpd_sender_restrictions="")
        found.daemon.wait_for(lambda: found.got() != [])
        found.looks()
        assert found.subjects() == [DIGEST]


def test_restart(empty: World) -> None:
    """A daemon that was killed and comes back does not tell again what it has told."""
    empty.is_listed()
    empty.daemon.wait_for(lambda: empty.subjects() == [SUBJECT])
    empty.looks()
    empty.daemon.kill()
    empty.daemon.start()
    empty.looks()
    assert empty.subjects() == [SUBJECT]
    assert empty.daemon.metric("bouncemilter_alerts_total", outcome="sent") == 0

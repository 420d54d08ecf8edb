"""What the other end-to-end tests build on: the private Postfix and its peer."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from tests.rig.peer import Peer
from tests.rig.postfix import Postfix, open_folder

pytestmark = pytest.mark.servers

MESSAGE = b"From: anna@local.test\nTo: jan@remote.test\nSubject: Faktura\n\nDzie\xc5\x84 dobry\n.\n..kropki\n"


def processes_of(folder: Path) -> list[int]:
    """The ids of all processes at work below the folder: every Postfix daemon changes to its queue."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            if (entry / "cwd").readlink().is_relative_to(folder):
                found.append(int(entry.name))
    return found


def test_refused_recipient_makes_a_dsn() -> None:
    """A peer's 550 at RCPT comes back to the sender's mailbox as a report of failure with that reply."""
    reply = "550 5.1.1 <jan@remote.test>: no such user"
    with (
        Peer(rcpt={"jan@remote.test": reply}) as peer,
        Postfix(mailboxes=["anna@local.test"], transports={"remote.test": peer.transport}) as postfix,
    ):
        exchange = postfix.inject("anna@local.test", ["jan@remote.test", "ewa@remote.test"], MESSAGE)
        assert exchange.accepted
        [report] = postfix.wait_for(lambda: postfix.mailbox("anna@local.test"))
        assert report.startswith(b"Return-Path: <>\n")
        assert b"report-type=delivery-status" in report
        assert b"Final-Recipient: rfc822; jan@remote.test" in report
        assert b"ewa@remote.test" not in report
        assert b"no such user" in report
        assert [mail.recipients for mail in peer.accepted] == [("ewa@remote.test",)]


def test_lmtp_answers_for_each_recipient() -> None:
    """An LMTP transport gets the message unchanged; the one recipient that is refused after it bounces alone."""
    with (
        Peer(lmtp=True, data={"bad@sink.test": "550 5.2.1 disabled"}) as sink,
        Postfix(mailboxes=["@local.test"], transports={"sink.test": sink.transport}) as postfix,
    ):
        postfix.inject("anna@local.test", ["good@sink.test", "bad@sink.test"], MESSAGE, service="inject")
        [report] = postfix.wait_for(lambda: postfix.mailbox("@local.test"))
        assert b"5.2.1 disabled" in report
        [mail] = sink.accepted
        assert (mail.sender, mail.recipients) == ("anna@local.test", ("good@sink.test",))
        assert mail.message.endswith(MESSAGE.partition(b"\n\n")[2].replace(b"\n", b"\r\n"))


def test_deferred_mail_is_retried_soon() -> None:
    """A temporary refusal leaves the mail in the queue with its reason; once lifted, the mail goes out by itself."""
    with (
        Peer(rcpt={"jan@remote.test": "451 4.7.1 later"}) as peer,
        Postfix(transports={"jan@remote.test": peer.transport}) as postfix,
    ):
        postfix.inject("anna@remote.test", ["jan@remote.test"], MESSAGE)
        [entry] = postfix.wait_for(lambda: [each for each in postfix.queue() if each["queue_name"] == "deferred"])
        assert "451 4.7.1 later" in entry["recipients"][0]["delay_reason"]
        peer.rcpt.clear()
        postfix.wait_for(lambda: peer.accepted)
        postfix.wait_for(lambda: not postfix.queue())


def test_local_programs_send_by_pickup() -> None:
    """Mail by the sendmail command takes the way of local mail, with the sender asked for."""
    with Postfix(mailboxes=["anna@local.test"]) as postfix:
        postfix.sendmail(["-f", "ewa@local.test", "anna@local.test"], MESSAGE)
        [mail] = postfix.wait_for(lambda: postfix.mailbox("anna@local.test"))
        assert mail.startswith(b"Return-Path: <ewa@local.test>\n")
        assert b"from userid 0" in mail
        assert "postfix/pickup" in postfix.log()


def test_unrouted_domain_never_leaves() -> None:
    """A domain that the test did not route is refused at RCPT; the service that takes everything bounces it."""
    with Postfix(mailboxes=["anna@local.test"]) as postfix:
        reply = postfix.inject("anna@local.test", ["jan@example.com"], MESSAGE).rcpt["jan@example.com"]
        assert (reply.code, reply.text[:5]) == (550, "5.4.4")
        assert postfix.inject("anna@local.test", ["jan@example.com"], MESSAGE, "inject").accepted
        [report] = postfix.wait_for(lambda: postfix.mailbox("anna@local.test"))
        assert b"Status: 5.4.4" in report


def test_milter_stands_before_one_service_only() -> None:
    """A dead milter defers on the service that has it and not on `inject`; an own service has its own parameters."""
    strict = {"smtpd_milters": "", "smtpd_client_restrictions": "check_client_access static:{521 5.7.1 not you}"}
    with Postfix(
        mailboxes=["jan@local.test"], milters="unix:/nonexistent/milter", services={"strict": strict}
    ) as postfix:
        assert postfix.inject("anna@local.test", ["jan@local.test"], MESSAGE, "inject").accepted
        refusal = postfix.inject("anna@local.test", ["jan@local.test"], MESSAGE, "strict").rcpt["jan@local.test"]
        assert refusal.code == 521
        assert "not you" in refusal.text
        assert postfix.inject("anna@local.test", ["jan@local.test"], MESSAGE).mail.code == 451
        postfix.reload(smtpd_milters="")
        postfix.wait_for(lambda: postfix.inject("anna@local.test", ["jan@local.test"], MESSAGE).accepted)


@pytest.mark.parametrize("how", ["leave", "master killed", "bad configuration"])
def test_no_process_stays(how: str) -> None:
    """Nothing of it runs on after the end, a killed master, or a start that failed; the failure tells the log."""
    with open_folder() as folder:
        parameters = {"smtpd_relay_restrictions": "permit"} if how == "bad configuration" else {}
        postfix = Postfix(folder / "postfix", parameters=parameters)
        if how == "bad configuration":
            with pytest.raises(RuntimeError, match="fatal: in parameter smtpd_relay_restrictions"):
                postfix.start()
        else:
            postfix.start()
            assert len(processes_of(folder)) > 2
        if how == "master killed":
            os.kill(int((folder / "postfix/queue/pid/master.pid").read_text()), signal.SIGKILL)
        if how != "bad configuration":
            postfix.kill()
        assert processes_of(folder) == []


def test_closed_folder_is_refused(tmp_path: Path) -> None:
    """A folder that user postfix cannot enter is named at once, instead of a time-out."""
    tmp_path.chmod(0o700)
    with pytest.raises(RuntimeError, match="cannot pass through"):
        Postfix(tmp_path / "postfix").start()

"""The private Sendmail itself: what the end-to-end tests build on."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.rig import mail
from tests.rig.peer import Peer
from tests.rig.sendmail import HOST, Sendmail, safe_folder

pytestmark = pytest.mark.servers


def processes_of(folder: Path) -> list[str]:
    """The command lines of all processes that name the folder, or work in it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            line = (entry / "cmdline").read_text().replace("\0", " ")
            if str(folder) in line or (entry / "cwd").readlink().is_relative_to(folder):
                found.append(line)
    return found


def test_own_report() -> None:
    """A peer's 550 at RCPT becomes Sendmail's own report in the sender's mailbox, without a log or queue left over."""
    with (
        safe_folder() as folder,
        Peer(rcpt={"nikt@remote.test": "550 5.1.1 no such user"}) as peer,
        Sendmail(folder / "mta", local_domains=["own.test"], transports={"remote.test": peer.transport}) as sendmail,
    ):
        sendmail.inject("jan@own.test", ["nikt@remote.test", "ola@remote.test"], mail.letter("x"))
        [report] = sendmail.wait_for(lambda: sendmail.mailbox("jan"))
        assert f"Reporting-MTA: dns; {HOST}".encode() in report
        assert b"Diagnostic-Code: SMTP; 550 5.1.1 no such user" in report
        assert [each.recipients for each in peer.accepted] == [("ola@remote.test",)]
        sendmail.wait_for(lambda: sendmail.queue() == [])
        assert "stat=User unknown" in sendmail.log()


def test_command_sendmail() -> None:
    """The command sendmail hands its mail by SMTP to the listener with the milters."""
    with safe_folder() as folder, Sendmail(folder / "mta", local_domains=["own.test"]) as sendmail:
        sendmail.sendmail(["-f", "ewa@own.test", "--", "jan@own.test"], mail.letter("jan@own.test"))
        [got] = sendmail.wait_for(lambda: sendmail.mailbox("jan"))
        assert got.startswith(b"Return-Path: <ewa@own.test>\n")
        assert "daemon=smtp" in sendmail.log()


def test_nothing_leaves() -> None:
    """A domain that is neither local nor routed is unknown: there is no DNS."""
    with safe_folder() as folder, Sendmail(folder / "mta", local_domains=["own.test"]) as sendmail:
        assert sendmail.inject("jan@own.test", ["ola@example.com"], mail.letter("ola@example.com")).accepted
        [report] = sendmail.wait_for(lambda: sendmail.mailbox("jan"))
        assert b"Status: 5.1.2" in report


@pytest.mark.parametrize("good", [True, False])
def test_no_process_stays(good: bool) -> None:
    """Nothing of it runs on after the end, or after a start that failed; the failure tells why."""
    with safe_folder() as folder:
        sendmail = Sendmail(folder / "mta", definitions="" if good else "DAEMON_OPTIONS(`Port=nowhere')dnl\n")
        if good:
            sendmail.start()
            assert processes_of(folder)
        else:
            with pytest.raises((RuntimeError, TimeoutError)) as caught:
                sendmail.start()
            assert "nowhere" in str(caught.value.__notes__)
        sendmail.kill()
        assert processes_of(folder) == []


def test_unsafe_folder(tmp_path: Path) -> None:
    """A folder below /tmp is refused at once: Sendmail would refuse the sockets in it as unsafe."""
    with pytest.raises(RuntimeError, match="writable for everybody"):
        Sendmail(tmp_path / "mta").start()

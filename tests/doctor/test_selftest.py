"""The self-test bounce: what is sent, what is waited for, and through a real Postfix."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import pytest

from bouncemilter.doctor.check import Context, Finding, Host, Level, Seen
from bouncemilter.doctor.plan import Where, examine_host
from bouncemilter.doctor.postfix import postconf
from bouncemilter.doctor.postfix.selftest import SelfTest
from bouncemilter.doctor.runner import worst
from bouncemilter.mta.postfix.snippet import snippet
from bouncemilter.mta.site import Site
from bouncemilter.returnpath import Recognizer, ReturnPath
from tests.doctor.fake import FakePostfix, well
from tests.doctor.lines import parameters, write_tables
from tests.rig.peer import Peer
from tests.rig.postfix import Postfix

PATH = ("bounces.example.com", "bounces")
VIEW = Site((PATH,), sink="unix:/var/spool/postfix/bouncemilter/lmtp.sock")


async def examine(fake: FakePostfix, seen: Seen | None, patience: float = 5) -> Finding:
    facts = await postconf.read(fake)
    assert facts is not None
    return await SelfTest(*PATH, facts, patience).run(Context(Host(VIEW), fake, seen))


async def test_the_event_comes() -> None:
    """The mail goes to the reserved domain from a VERP return path that names it; the front is told."""
    fake = FakePostfix()
    asked: list[str] = []

    async def seen(address: str) -> str | None:
        asked.append(address)
        return "sink" if len(asked) > 1 else None

    found = await examine(fake, seen)
    assert (found.level, found.text.endswith("by the sink")) == (Level.OK, True)
    [(argv, message)] = fake.sent
    assert argv[:2] == ("/usr/sbin/sendmail", "-f")
    sender, recipient = argv[2], argv[4]
    assert re.fullmatch(r"selftest-[0-9a-f]{12}@selftest\.bouncemilter\.invalid", recipient)
    assert Recognizer([ReturnPath(*PATH)]).verp_recipient(sender) == recipient
    assert set(asked) == {recipient}
    assert f"To: {recipient}\n".encode() in message


async def test_the_event_does_not_come() -> None:
    """A bounce that nobody sees in time is a failure with a remedy."""

    async def seen(_address: str) -> str | None:
        return None

    found = await examine(FakePostfix(), seen, patience=0.01)
    assert found.level is Level.FAIL
    assert found.remedy


async def test_no_mail_leaves_without_the_error_line() -> None:
    """Without the error: line nothing is sent: a relayhost would carry the mail out of this host."""
    fake = FakePostfix(tables={"texthash:/t": {"selftest.bouncemilter.invalid": "smtp:[192.0.2.1]"}})

    async def seen(_address: str) -> str | None:
        raise AssertionError

    assert (await examine(fake, seen)).level is Level.FAIL
    fake.tables = {}
    assert (await examine(fake, seen)).level is Level.FAIL
    assert fake.sent == []


async def test_switched_off() -> None:
    """Where no self-test is wanted nothing is sent, and that is a warning."""
    fake = FakePostfix()
    assert (await examine(fake, None)).level is Level.WARN
    assert fake.sent == []


async def test_sendmail_fails() -> None:
    """A sendmail that refuses is told with its own words."""

    async def seen(_address: str) -> str | None:
        raise AssertionError

    found = await examine(FakePostfix(sendmail_code=75), seen)
    assert found.level is Level.FAIL
    assert "no queue" in found.text


@pytest.mark.servers
def test_real_postfix(tmp_path: Path) -> None:
    """With the printed lines in a real Postfix, every check passes and its own bounce reaches the sink."""
    with Peer(lmtp=True) as sink:
        view = Site((PATH,), sink=f"inet:127.0.0.1:{sink.port}", map_directory=str(tmp_path))
        found = snippet(view)
        write_tables(found)

        async def seen(address: str) -> str | None:
            verp = address.replace("@", "=")
            return "sink" if any(verp in each.recipients[0] for each in sink.accepted) else None

        with Postfix(parameters=parameters(found)) as postfix:
            etc = postfix.folder / "etc"
            with (etc / "master.cf").open("a") as master:
                master.write(found.master)
            where = Where(postfix=str(etc), smtp=f"127.0.0.1:{postfix.ports['smtp']}", lookup=well)
            for path in etc.iterdir():  # Postfix waits until a configuration file is 2 s old
                os.utime(path, (0, 0))
            postfix.reload(biff="no")
            rows = asyncio.run(examine_host(Host(view), seen, where))
        assert worst(rows) is Level.OK, rows
        assert {"self-test bounce", "self-test by SMTP"} <= {row.name for row in rows}
    own, other = sink.accepted
    assert own.sender == other.sender == ""
    assert b"Diagnostic-Code: X-Postfix; bouncemilter self-test" in own.message
    assert b"Status: 5.1.1" in own.message

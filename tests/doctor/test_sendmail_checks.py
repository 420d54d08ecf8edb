"""What the doctor says of Sendmail configurations, right ones and wrong ones, by a real Sendmail too."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bouncemilter.assembly.site import host
from bouncemilter.doctor import command
from bouncemilter.doctor.check import Check, Context, Finding, Host, Level
from bouncemilter.doctor.command import Output
from bouncemilter.doctor.plan import MailServer, Where, checks, examine_host
from bouncemilter.doctor.selftest import SmtpSelfTest
from bouncemilter.doctor.sendmail import sendmailcf
from bouncemilter.doctor.sendmail.milters import BeforeSigner, MilterListed
from bouncemilter.doctor.sendmail.routing import Recipients, Route, leads_to_sink
from bouncemilter.doctor.sendmail.selftest import SendmailSelfTest
from bouncemilter.mta.site import Site
from bouncemilter.settings import load
from bouncemilter.stream import Match, Stream, StreamKind
from tests.doctor.fake import no_postfix, well
from tests.rig.peer import Peer
from tests.rig.sendmail import safe_folder
from tests.rig.sendmail_world import SendmailWorld, sendmail_world

PATH = ("bounces.example.com", "bounces")
SITE = Site((PATH,), sink="unix:/run/bouncemilter/lmtp.sock", milter="unix:/run/bouncemilter/milter.sock")
CF = """\
O InputMailFilters=spam,bouncemilter
O DaemonPortOptions=Name=MTA, Port=smtp
O DaemonPortOptions=Name=BULK, Port=10587, InputMailFilters=bouncemilterout;opendkim
Xspam, S=inet:7000@localhost, F=T
Xbouncemilter, S=local:/run/bouncemilter/milter.sock, T=C:5s;S:10s;R:30s;E:2m
Xbouncemilterout, S=local:/run/bouncemilter/milter.sock, F=T, T=C:5s
Xopendkim, S=inet:8891@127.0.0.1
Mesmtp,\tP=[IPC], F=mDFMuXa, S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP, E=\\r\\n, L=990,
\t\tT=DNS/RFC822/SMTP,
\t\tA=TCP $h
Mbouncemilter, P=[IPC], F=DFMXhmnuz, E=\\r\\n, L=2040, T=DNS/RFC822/SMTP, A=FILE /run/bouncemilter/lmtp.sock
"""
BULK = Stream("news", StreamKind.BULK, Match(daemon_name=("BULK",)))


async def run(check: Check, site: Site = SITE, said: str = "") -> Finding:
    """What a check finds where Sendmail's commands say this."""

    async def answer(_argv: tuple[str, ...], _stdin: bytes) -> Output:
        return Output(0, said)

    return await check.run(Context(Host(site), answer, lookup=well))


def test_parse() -> None:
    """Mailers, filters and listeners are read, whole though their lines are folded."""
    facts = sendmailcf.parse(CF)
    assert facts.mailers["esmtp"]["A"] == "TCP $h"
    assert facts.mailers["bouncemilter"] == {
        "P": "[IPC]",
        "F": "DFMXhmnuz",
        "E": "\\r\\n",
        "L": "2040",
        "T": "DNS/RFC822/SMTP",
        "A": "FILE /run/bouncemilter/lmtp.sock",
    }
    assert facts.filters["bouncemilterout"]["F"] == "T"
    assert facts.input_filters == ("spam", "bouncemilter")
    assert facts.listeners == {"MTA": ("spam", "bouncemilter"), "BULK": ("bouncemilterout", "opendkim")}


@pytest.mark.parametrize(
    ("said", "flags", "level", "words"),
    [
        ("deliverable: mailer bouncemilter, host [127.0.0.1], user x", "", Level.OK, "by the mailer bouncemilter"),
        ("deliverable: mailer bouncemilter, user x", "z", Level.FAIL, "lack z"),
        ("deliverable: mailer esmtp, host bounces.example.com., user x", "", Level.FAIL, "mailer esmtp, not to the"),
        ("deliverable: mailer local, user bounces", "", Level.FAIL, "pass milters by"),
        ("... User unknown", "", Level.FAIL, "has no way"),
    ],
)
async def test_route(said: str, flags: str, level: Level, words: str) -> None:
    """The way of a return path is followed to the sink's socket; any other way misses Sendmail's own reports."""
    facts = sendmailcf.parse(CF.replace("F=DFMXhmnuz", f"F={'DFMXhmnuz'.replace(flags, '') if flags else 'DFMXhmnuz'}"))
    found = await run(Route(*PATH, facts), said=f"bounces+jan=example.org@bounces.example.com... {said}\n")
    assert (found.level, words in found.text) == (level, True), found


@pytest.mark.parametrize(
    ("arguments", "host", "sink", "leads"),
    [
        ("TCP $h 2424", "[127.0.0.1]", "inet:127.0.0.1:2424", True),
        ("TCP 127.0.0.1 2424", "x", "inet:127.0.0.1:2424", True),
        ("TCP $h 2424", "[IPv6:::1]", "inet:[::1]:2424", True),
        ("TCP $h 25", "[127.0.0.1]", "inet:127.0.0.1:2424", False),
        ("TCP $h", "[127.0.0.1]", "inet:127.0.0.1:2424", False),
        ("FILE /run/lmtp.sock", "", "unix:/run/lmtp.sock", True),
        ("FILE /run/other.sock", "", "unix:/run/lmtp.sock", False),
        ("", "", "unix:/run/lmtp.sock", False),
    ],
)
def test_leads_to_sink(arguments: str, host: str, sink: str, leads: bool) -> None:
    """Both kinds of sockets are compared with the sink's."""
    assert leads_to_sink({"P": "[IPC]", "A": arguments}, host, sink) is leads


@pytest.mark.parametrize(
    ("old", "new", "level", "words"),
    [
        ("", "", Level.OK, "shows mail"),
        ("=spam,bouncemilter", "=spam", Level.FAIL, "no INPUT_MAIL_FILTER"),
        ("local:/run", "unix:/run", Level.OK, "shows mail"),
        ("milter.sock", "other.sock", Level.FAIL, "no INPUT_MAIL_FILTER"),
        ("milter.sock, T=C:5s;S", "milter.sock, F=T, T=C:5s;S", Level.WARN, "defers all mail"),
    ],
)
async def test_input_filters(old: str, new: str, level: Level, words: str) -> None:
    """Our milter is among the filters of all listeners, and does no harm while it is away."""
    found = await run(MilterListed(sendmailcf.parse(CF.replace(old, new) if old else CF)))
    assert (found.level, words in found.text) == (level, True), found


@pytest.mark.parametrize(
    ("old", "new", "level", "words"),
    [
        ("", "", Level.OK, "BULK"),
        ("bouncemilterout;opendkim", "opendkim;bouncemilterout", Level.WARN, "opendkim comes before"),
        ("bouncemilterout;opendkim", "opendkim", Level.FAIL, "neither signed nor refused"),
        ("Name=BULK", "Name=OTHER", Level.FAIL, "no listener"),
    ],
)
async def test_order(old: str, new: str, level: Level, words: str) -> None:
    """The listener of a stream asks our milter, and before the one that signs."""
    site = dataclasses.replace(SITE, streams=(BULK,))
    found = await run(BeforeSigner(sendmailcf.parse(CF.replace(old, new) if old else CF)), site)
    assert (found.level, words in found.text) == (level, True), found


async def test_nothing_is_sent_without_the_route() -> None:
    """Where the doctor's domain is not the sink's, no mail of the self-test leaves."""

    async def seen(_address: str) -> str | None:
        raise AssertionError

    async def no_route(argv: tuple[str, ...], _stdin: bytes) -> Output:
        assert "-bv" in argv
        return Output(0, "deliverable: mailer esmtp, host selftest.bouncemilter.invalid., user x")

    check = SendmailSelfTest(*PATH, sendmailcf.parse(CF))
    found = await check.run(Context(Host(SITE), no_route, seen, lookup=well))
    assert (found.level, "not tried" in found.text) == (Level.FAIL, True)


async def test_which_mail_server(tmp_path: Path) -> None:
    """Without Postfix a sendmail.cf is taken; with neither, or with another wanted, that is said."""
    (tmp_path / "sendmail.cf").write_text(CF)
    for wanted, folder, name in (
        (MailServer.AUTO, str(tmp_path), "route to the sink"),
        (MailServer.SENDMAIL, str(tmp_path), "route to the sink"),
        (MailServer.POSTFIX, str(tmp_path), "mail server"),
        (MailServer.AUTO, "/nonexistent", "mail server"),
    ):
        rows = await examine_host(Host(SITE), None, Where(wanted, sendmail=folder, lookup=well), run=no_postfix)
        assert (name in {row.name for row in rows}) is True


def test_without_sink() -> None:
    """Without a sink it is said that Sendmail's own reports are missed, and no such report is waited for."""
    site = Site((PATH,), milter=SITE.milter)
    plan = [each.name for each in checks(Host(site), None, sendmailcf.parse(CF))]
    assert "own reports" in plan
    assert "self-test bounce" not in plan
    assert "self-test by SMTP" in plan


async def test_nobody_at_port_25() -> None:
    """Where nobody takes mail the test by SMTP has not been tried, which is no failure."""

    async def seen(_address: str) -> str | None:
        raise AssertionError

    with Peer() as peer:
        smtp = f"127.0.0.1:{peer.port}"
    check = SmtpSelfTest("bounces@bounces.example.com", PATH)
    found = await check.run(Context(Host(SITE), no_postfix, seen, well, smtp))
    assert (found.level, "not tried" in found.text) == (Level.WARN, True)


WATCHED = "newsletter@own.test"
TABLES = f'[inbound]\nown_domains = ["own.test"]\naddresses = ["{WATCHED}"]\n'
STREAM = '[[stream]]\nname = "news"\nkind = "bulk"\nmatch = { daemon_name = ["BULK"] }\n'


@pytest.fixture
def safe() -> Iterator[Path]:
    """A folder that Sendmail trusts."""
    with safe_folder() as found:
        yield found


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A remote server."""
    with Peer() as found:
        yield found


def diagnose(world: SendmailWorld) -> dict[str, Finding]:
    """What the doctor finds in that world, by check and, for the self-tests, by address."""

    async def seen(address: str) -> str | None:
        events = (await asyncio.to_thread(world.daemon.why, address))["events"]
        return events[0]["event"]["front"] if events else None

    async def run(argv: tuple[str, ...], stdin: bytes = b"") -> Output:
        return await command.run(world.sendmail.command(*argv), stdin)

    where = Where(
        MailServer.SENDMAIL,
        sendmail=str(world.sendmail.configuration),
        smtp=f"127.0.0.1:{world.sendmail.ports['smtp']}",
        lookup=well,
    )
    settings = load(world.daemon.config, environment=False)
    rows = asyncio.run(examine_host(host(settings), seen, where, run=run))
    found = {row.name: row.finding for row in rows if not row.name.startswith("self-test")}
    tests = [row.finding for row in rows if row.name.startswith("self-test")]
    return found | {re.findall(r"to (\S+@\S+)|$", each.text)[0] + str(place): each for place, each in enumerate(tests)}


@pytest.mark.servers
def test_real_sendmail(safe: Path, peer: Peer) -> None:
    """With the printed lines every check passes, and each feed is seen: own reports, SMTP to sink and to milter."""
    with sendmail_world(safe, peer, TABLES + STREAM) as world:
        found = diagnose(world)
        assert {name: each for name, each in found.items() if each.level is not Level.OK}.keys() <= {"passed mail"}
        assert [each.text.rpartition(" ")[2] for each in list(found.values())[-3:]] == ["sink", "sink", "milter"]
        assert world.sendmail.mailboxes() == []


@pytest.mark.servers
def test_real_sendmail_without_the_lines(safe: Path, peer: Peer) -> None:
    """Without mailertable and rules it says what is missed, and no self-test mail leaves the host."""
    with sendmail_world(safe, peer, TABLES) as world:
        cf = world.sendmail.configuration / "sendmail.cf"
        cf.write_text(cf.read_text().replace("\nKmailertable", "\n#mailertable").replace("@OURS\t$#", "@NONE\t$#"))
        folder = str(world.sendmail.configuration)

        async def seen(_address: str) -> str | None:
            raise AssertionError

        async def run(argv: tuple[str, ...], stdin: bytes = b"") -> Output:
            return await command.run(world.sendmail.command(*argv), stdin)

        async def diagnose(kind: Callable[[str, str, sendmailcf.Facts], Check]) -> str:
            facts = await sendmailcf.read(folder)
            assert facts is not None
            site = Site((("bounces.own.test", "b"),), sink=f"unix:{world.daemon.lmtp}")
            return (await kind("bounces.own.test", "b", facts).run(Context(Host(site), run, seen, well))).text

        assert "pass milters by" in asyncio.run(diagnose(Route))
        assert "backscatter" in asyncio.run(diagnose(Recipients))
        assert "not tried: the mailertable" in asyncio.run(diagnose(SendmailSelfTest))

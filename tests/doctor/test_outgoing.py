"""What the doctor says of mail that leaves by Postfix."""

from __future__ import annotations

import pytest

from bouncemilter.doctor.check import Context, Finding, Host, Level
from bouncemilter.doctor.postfix import postconf
from bouncemilter.doctor.postfix.outgoing import BeforeSigner, Masquerading, masqueraded
from bouncemilter.mta.site import Site
from bouncemilter.stream import Match, Stream, StreamKind
from tests.doctor.fake import MAIN, MASTER, FakePostfix

OURS = "unix:bouncemilter/milter.sock"
SIGNER = "inet:127.0.0.1:8891"
BULK = Stream("news", StreamKind.BULK, Match(daemon_name=("BULK",)))
LOCAL = Stream("cron", StreamKind.TRANSACTIONAL, Match(local_user=True))
PERSONAL = Stream("office", StreamKind.PERSONAL, Match(daemon_name=("BULK",)))


@pytest.mark.parametrize(
    ("domains", "into"),
    [
        ("", ""),
        ("example.com", "example.com"),
        ("Example.COM", "example.com"),
        ("com", "com"),
        ("!bounces.example.com example.com", ""),
        ("example.com !bounces.example.com", "example.com"),
        ("bounces.example.com example.com", ""),
        ("ces.example.com", ""),
        ("example.net", ""),
    ],
)
def test_masqueraded(domains: str, into: str) -> None:
    """The first entry that is the domain, or above it, decides; an exclamation mark excepts it."""
    assert masqueraded("bounces.example.com", domains.split()) == into


@pytest.mark.parametrize(("classes", "level"), [("header_sender", Level.OK), ("envelope_sender", Level.FAIL)])
async def test_masquerade_classes(classes: str, level: Level) -> None:
    """Only where envelope senders are masqueraded is the return path lost."""
    fake = FakePostfix(main=MAIN | {"masquerade_domains": "example.com", "masquerade_classes": classes})
    facts = await postconf.read(fake)
    assert facts is not None
    found = await Masquerading("bounces.example.com", facts).run(Context(Host(Site(())), fake))
    assert found.level is level


async def order(milters: str, *streams: Stream, non_smtpd: str = OURS) -> Finding:
    """What is found where the bulk service has these milters."""
    bulk = f"10587 inet n - n - - smtpd -o milter_macro_daemon_name=BULK -o {{smtpd_milters = {milters}}}\n"
    fake = FakePostfix(main=MAIN | {"non_smtpd_milters": non_smtpd}, master=MASTER + bulk)
    facts = await postconf.read(fake)
    assert facts is not None
    site = Site((), milter="unix:/var/spool/postfix/bouncemilter/milter.sock", streams=streams)
    return await BeforeSigner(facts).run(Context(Host(site), fake))


@pytest.mark.parametrize(
    ("milters", "streams", "level", "words"),
    [
        (f"{{ {OURS}, default_action=tempfail }}, {SIGNER}", (BULK,), Level.OK, "10587"),
        (OURS, (BULK,), Level.OK, "10587"),
        (f"{SIGNER}, {OURS}", (BULK,), Level.WARN, "8891 comes before"),
        (f"unix:opendkim/opendkim.sock {OURS}", (BULK,), Level.WARN, "opendkim.sock comes before"),
        (f"inet:127.0.0.1:7000, {OURS}", (BULK,), Level.OK, "10587"),
        (SIGNER, (BULK,), Level.FAIL, "neither signed nor refused"),
        (SIGNER, (PERSONAL,), Level.OK, "no service"),
        (SIGNER, (), Level.OK, "no service"),
    ],
)
async def test_order(milters: str, streams: tuple[Stream, ...], level: Level, words: str) -> None:
    """On the service of a stream our milter must be there, and stand before what signs."""
    found = await order(milters, *streams)
    assert (found.level, words in found.text) == (level, True), found
    assert bool(found.remedy) is (level is not Level.OK)


async def test_order_of_local_mail() -> None:
    """A stream of local programs goes by non_smtpd_milters."""
    assert (await order(SIGNER, LOCAL)).level is Level.OK
    found = await order(OURS, LOCAL, non_smtpd=f"{SIGNER}, {OURS}")
    assert (found.level, "non_smtpd_milters" in found.text) == (Level.WARN, True)

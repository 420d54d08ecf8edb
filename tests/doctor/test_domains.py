"""What the doctor says of DNS, asked of a real name server on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bouncemilter.doctor.check import Check, Context, Finding, Host, Level
from bouncemilter.doctor.dns import lookup
from bouncemilter.doctor.dns.records import Dkim, Dmarc, MailExchanger, Spf
from bouncemilter.mta.site import Site
from tests.dkim.signing import KEY, KEYS
from tests.doctor.fake import no_postfix
from tests.rig.dns import NameServer

PATH = "bounces.example.com"
SPF = '"v=spf1 mx ip4:192.0.2.0/24 -all"'


@pytest.fixture
def server() -> Iterator[NameServer]:
    """A name server on which all is well."""
    records: dict[tuple[str, str], list[str] | None] = {
        (PATH, "MX"): ["10 mx.example.com."],
        (PATH, "TXT"): ['"site-verification=1"', SPF],
        ("_dmarc.example.com", "TXT"): ['"v=DMARC1; p=reject; rua=mailto:dmarc@example.com"'],
    }
    with NameServer(records) as found:
        yield found


async def run(check: Check, server: NameServer) -> Finding:
    """What the check finds."""
    context = Context(Host(Site(())), no_postfix, lookup=lookup.lookup(server.address))
    return await check.run(context)


CHECKS = [MailExchanger(PATH), Spf(PATH), Dmarc("example.com", PATH), Dmarc("news.example.com", PATH)]


@pytest.mark.parametrize("check", CHECKS)
async def test_all_is_well(check: Check, server: NameServer) -> None:
    """With MX, SPF and DMARC in place there is nothing to do; a subdomain has the DMARC of the domain above."""
    found = await run(check, server)
    assert (found.level, found.remedy) == (Level.OK, "")


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("how", ["silent", "servfail"])
async def test_no_answer(check: Check, how: str, server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where DNS does not answer, or fails, nothing is said of the domain but that it was not checked."""
    monkeypatch.setattr(lookup, "SECONDS", 0.2)
    server.silent = how == "silent"
    server.records = dict.fromkeys([*server.records, ("_dmarc.news.example.com", "TXT")])
    found = await run(check, server)
    assert (found.level, found.text.startswith("not checked: DNS does not answer")) == (Level.WARN, True), found


@pytest.mark.parametrize(
    ("records", "level", "words"),
    [
        ({}, Level.WARN, "neither MX nor address"),
        ({(PATH, "A"): ["192.0.2.1"]}, Level.WARN, "its own address, 192.0.2.1"),
        ({(PATH, "AAAA"): ["2001:db8::1"]}, Level.WARN, "its own address, 2001:db8::1"),
        ({(PATH, "MX"): ["0 ."]}, Level.FAIL, "takes no mail"),
        ({(PATH, "MX"): ["10 a.example.com.", "20 b.example.com."]}, Level.OK, "a.example.com, b.example.com"),
    ],
)
async def test_mx(records: dict[tuple[str, str], list[str] | None], level: Level, words: str) -> None:
    """A return path without MX is told, and one that refuses mail is a failure."""
    with NameServer(records) as server:
        found = await run(MailExchanger(PATH), server)
    assert (found.level, words in found.text) == (level, True), found


@pytest.mark.parametrize(
    ("texts", "level", "words"),
    [
        ([], Level.WARN, "no SPF record"),
        (['"v=spf10 -all"'], Level.WARN, "no SPF record"),
        ([SPF, '"v=spf1 -all"'], Level.WARN, "2 SPF records"),
        (['"v=spf1 -all"'], Level.WARN, "names no host"),
        (['"v=spf1"'], Level.WARN, "names no host"),
        (['"v=spf1 mx"'], Level.WARN, "does not end in -all"),
        (['"v=spf1 mx ?all"'], Level.WARN, "does not end in -all"),
        (['"v=spf1 mx +all"'], Level.WARN, "does not end in -all"),
        (['"v=spf1 mx ipv4:192.0.2.1 -all"'], Level.WARN, "can't be read at ipv4:192.0.2.1"),
        (['"V=SPF1 A:mx.example.com ~ALL"'], Level.OK, "V=SPF1"),
        (['"v=spf1 redirect=_spf.example.com"'], Level.OK, "redirect"),
        (['"v=spf1 include:_spf.exam" "ple.com exp=why.example.com -all"'], Level.OK, "include:_spf.example.com"),
        (['"v=spf1 a/24//64 mx:example.com/28 ip6:2001:db8::/32 exists:%{i}.example.com -all"'], Level.OK, "exists"),
    ],
)
async def test_spf(texts: list[str], level: Level, words: str) -> None:
    """One record that can be read, names a host and says what others are; all else is told with what is wrong."""
    with NameServer({(PATH, "TXT"): texts} if texts else {}) as server:
        found = await run(Spf(PATH), server)
    assert (found.level, words in found.text) == (level, True), found
    assert bool(found.remedy) is (level is not Level.OK)


@pytest.mark.parametrize(
    ("sender", "records", "level", "words"),
    [
        ("example.com", {}, Level.WARN, "no DMARC record"),
        ("example.com", {"_dmarc.example.com": ['"v=spf1 -all"']}, Level.WARN, "no DMARC record"),
        ("example.com", {"_dmarc.example.com": ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']}, Level.WARN, "no DMARC"),
        ("example.com", {"_dmarc.example.com": ['"v=DMARC1"']}, Level.WARN, "no policy"),
        ("example.com", {"_dmarc.example.com": ['"v=DMARC1; p=monitor; aspf=r"']}, Level.WARN, "no policy"),
        ("example.com", {"_dmarc.example.com": ['"v=DMARC1; P = Quarantine"']}, Level.OK, "counts"),
        ("example.com", {"_dmarc.example.com": ['"v=DMARC1; p=none; aspf=s"']}, Level.WARN, "aspf=s"),
        ("example.com", {"_dmarc.example.com": ['"v=DMARC1;p=none; ASPF = S ;"']}, Level.WARN, "aspf=s"),
        (PATH, {"_dmarc.example.com": ['"v=DMARC1; p=none; aspf=s"']}, Level.OK, "counts"),
        ("example.com", {"_dmarc.example.com": ['"v=DMARC1; p=none; aspf=r"']}, Level.OK, "counts"),
        ("example.net", {"_dmarc.example.net": ['"v=DMARC1; p=none"']}, Level.WARN, "not below example.net"),
        (
            "a.example.com",
            {"_dmarc.a.example.com": ['"v=DMARC1; p=none"'], "_dmarc.example.com": ['"v=DMARC1; p=none; aspf=s"']},
            Level.OK,
            "counts",
        ),
    ],
)
async def test_dmarc(sender: str, records: dict[str, list[str]], level: Level, words: str) -> None:
    """A missing record, strict alignment with another domain, and a return path elsewhere are told."""
    with NameServer({(name, "TXT"): texts for name, texts in records.items()}) as server:
        found = await run(Dmarc(sender, PATH), server)
    assert (found.level, words in found.text) == (level, True), found
    assert bool(found.remedy) is (level is not Level.OK)


@pytest.mark.parametrize("text", ["127.0.0.1:x", "a b", "127.0.0.1:99999"])
def test_bad_resolver(text: str) -> None:
    """What is no HOST:PORT is refused at once."""
    with pytest.raises(ValueError, match="HOST:PORT"):
        lookup.lookup(text)


NAME = f"{KEY.selector}._domainkey.{KEY.domain}"


def quoted(text: str) -> str:
    """A TXT record's text as name servers write it, in strings of at most 255 octets."""
    return " ".join(f'"{text[start : start + 250]}"' for start in range(0, len(text), 250))


def record(name: str = "test-only") -> str:
    """The text of a key's DNS record."""
    pem = (KEYS / f"{name}.public.pem").read_text().splitlines()
    return f"v=DKIM1; k=rsa; p={''.join(pem[1:-1])}"


@pytest.mark.parametrize(
    ("records", "level", "words"),
    [
        ([record()], Level.OK, "publishes the key of public_key_file"),
        ([record("other-test-only")], Level.FAIL, "publishes another key"),
        ([], Level.FAIL, "no DKIM record"),
        ([record(), record("other-test-only")], Level.FAIL, "2 records"),
        (["v=DKIM1; k=rsa; p="], Level.FAIL, "revoked"),
        (["hello"], Level.FAIL, "of no use"),
    ],
)
async def test_dkim(records: list[str], level: Level, words: str, server: NameServer) -> None:
    """The record that the world sees must hold the key that we were given; any other is named."""
    server.records = {(NAME, "TXT"): [quoted(each) for each in records]}
    found = await run(Dkim(KEY), server)
    assert found.level is level, found
    assert words in found.text


async def test_dkim_unanswered(server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where DNS fails, nothing is said of the key."""
    monkeypatch.setattr(lookup, "SECONDS", 0.2)
    server.records = {(NAME, "TXT"): None}
    found = await run(Dkim(KEY), server)
    assert (found.level, found.text.startswith("not checked")) == (Level.WARN, True)

"""Whether domains take mail, by a name server on loopback."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from bouncemilter.validation import MailHosts, MailHostStatus, ResolverError
from bouncemilter.validation.mailhost import SILENCE
from tests.rig.dns import NameServer

RECORDS = {
    ("good.pl", "MX"): ["10 mx.good.pl."],
    ("mx.good.pl", "A"): ["192.0.2.1"],
    ("six.pl", "MX"): ["10 mx.six.pl."],
    ("mx.six.pl", "AAAA"): ["2001:db8::1"],
    ("second.pl", "MX"): ["10 gone.good.pl.", "20 mx.good.pl."],
    ("null.pl", "MX"): ["0 ."],
    ("web.pl", "A"): ["192.0.2.2"],
    ("empty.pl", "TXT"): ['"v=spf1 -all"'],
    ("lost.pl", "MX"): ["10 gone.good.pl."],
    ("broken.pl", "MX"): None,
    ("half.pl", "MX"): ["10 mx.half.pl."],
    ("mx.half.pl", "A"): None,
    ("webfail.pl", "A"): None,
    ("xn--w-uga1v8h.pl", "MX"): ["10 mx.good.pl."],
    ("self.pl", "MX"): ["0 localhost."],
    ("localhost", "A"): ["127.0.0.1"],
    ("localhost", "AAAA"): ["::1"],
    ("zero.pl", "A"): ["0.0.0.0"],
}


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer(RECORDS) as found:
        yield found


async def find(server: NameServer, *names: str, seconds: float = 2.0) -> dict[str, MailHostStatus]:
    return await MailHosts(server.address, concurrency=3, seconds=seconds).find(names, lambda _: None)


async def test_findings(server: NameServer) -> None:
    """MX, null MX, an address in its place, nothing, no such domain, and no answer are told apart."""
    wanted = {
        "good.pl": MailHostStatus.MX,
        "six.pl": MailHostStatus.MX,
        "second.pl": MailHostStatus.MX,
        "null.pl": MailHostStatus.NULL_MX,
        "web.pl": MailHostStatus.IMPLICIT,
        "empty.pl": MailHostStatus.NO_SERVER,
        "lost.pl": MailHostStatus.NO_SERVER,
        "nowhere.pl": MailHostStatus.NOT_FOUND,
        "broken.pl": MailHostStatus.UNANSWERED,
        "half.pl": MailHostStatus.UNANSWERED,
        "webfail.pl": MailHostStatus.UNANSWERED,
        "xn--w-uga1v8h.pl": MailHostStatus.MX,
        "self.pl": MailHostStatus.NO_SERVER,
        "zero.pl": MailHostStatus.NO_SERVER,
    }
    assert await find(server, *wanted) == wanted


async def test_each_once(server: NameServer) -> None:
    """A mail server of many domains is asked for once."""
    names = [f"{number}.good.pl" for number in range(20)]
    server.records |= {(name, "MX"): ["10 mx.good.pl."] for name in names}
    assert set((await find(server, *names)).values()) == {MailHostStatus.MX}
    assert server.asked.count(("mx.good.pl", "A")) == 1
    assert len(server.asked) == 21


async def test_silence(server: NameServer) -> None:
    """A name server that says nothing leaves everything open, within the time given."""
    server.silent = True
    assert await find(server, "good.pl", "nowhere.pl", seconds=0.2) == dict.fromkeys(
        ("good.pl", "nowhere.pl"), MailHostStatus.UNANSWERED
    )


async def test_progress(server: NameServer) -> None:
    """Each domain is told when it is done."""
    done: list[float] = []
    await MailHosts(server.address).find(["good.pl", "null.pl"], done.append)
    assert sum(done) == 2


@pytest.mark.parametrize("written", ["dns.example.net", "dns.example.net:53", "127.0.0.1:99999", "[::1"])
def test_no_resolver(written: str) -> None:
    """A resolver is named by an address."""
    with pytest.raises(ResolverError):
        MailHosts(written)


async def test_dead_resolver(server: NameServer) -> None:
    """Where nothing is answered for long, the rest is not asked; where one domain is, all are."""
    names = [f"d{number}.pl" for number in range(SILENCE + 50)]
    server.records = dict.fromkeys(((name, "MX") for name in names), None)
    found = await find(server, *names)
    assert SILENCE <= len(found) < SILENCE + 50
    server.records["d3.pl", "MX"] = ["0 ."]
    assert len(await find(server, *names)) == len(names)


async def test_few_descriptors(server: NameServer) -> None:
    """Where few files may be open, fewer domains are asked at a time, and none is left unanswered for it."""
    names = [f"d{number}.pl" for number in range(200)]
    server.records = {(name, "MX"): ["0 ."] for name in names}
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, before[1]))
    try:
        found = await MailHosts(server.address, concurrency=1000).find(names, lambda _: None)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert set(found.values()) == {MailHostStatus.NULL_MX}

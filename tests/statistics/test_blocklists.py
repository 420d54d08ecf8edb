"""Blocklists: which one the words name, and where removal is asked for."""

from __future__ import annotations

import pytest

from bouncemilter.language import Language
from bouncemilter.statistics import blocklists


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "Spamhaus"),
        ("550 blocked, see http://www.SpamCop.net/bl.shtml?192.0.2.1", "SpamCop"),
        ("550 5.7.1 http://www.barracudanetworks.com/reputation/?pr=1&ip=192.0.2.1", "Barracuda"),
        ("550 Twój adres 192.0.2.1 jest na liście dnsbl-1.uceprotect.net", "UCEPROTECT"),
        (
            "550 5.7.606 Access denied, banned sending IP. To request removal: https://sender.office.com/",
            "Microsoft 365",
        ),
        ("554 rejected due to poor reputation, see bl.nieznana.example.pl", "bl.nieznana.example.pl"),
        ("554 listed at RBL.Example.org.", "rbl.example.org"),
        ("550 5.7.1 your host is on our list", ""),
        ("550 5.7.1 [BL21] in Spamhaus's list; see http://postmaster.yahoo.com/550-bl23.html", "Spamhaus"),
        ("554 5.7.1 <jan@wp.pl>: blocked using rbl.example.org", "rbl.example.org"),
        ("554 listed: http://my-dnsbl2.example.org/q?ip=192.0.2.1", "my-dnsbl2.example.org"),
        ("554 marble.example.org says no, so do x..rbl, rbl and " + "rbl." * 100, ""),
        ("554 " + "a." * 510, ""),
    ],
)
def test_named(words: str, name: str) -> None:
    """The list is the shipped one of that name, else the zone that the words name, else a nameless one."""
    found = blocklists.named(words)
    assert found.name == name
    assert found.removal.startswith("https://")


def test_table() -> None:
    """Each shipped list says where removal is asked for, or why nowhere, in both languages; no mark of one is
    another's before it, and no name stands twice.
    """
    table = blocklists._table()
    for index, (blocklist, marks) in enumerate(table):
        assert blocklist.removal.startswith("https://") != any(blocklist.instead)
        assert len({blocklist.note(language) for language in Language}) == (2 if any(blocklist.instead) else 1)
        assert all(mark == mark.lower() for mark in marks)
        for mark in marks:
            assert blocklists.named(mark) == blocklist, (index, mark)
    assert len({blocklist.name for blocklist, _ in table}) == len(table)


def test_hits() -> None:
    """Refusals are added up by list, the most frequent first, with the words of one."""
    found = blocklists.hits([("zen.spamhaus.org", 2), ("bl.spamcop.net", 5), ("sbl.spamhaus.org", 4)])
    assert [(hit.blocklist.name, hit.n, hit.diagnostic) for hit in found] == [
        ("Spamhaus", 6, "zen.spamhaus.org"),
        ("SpamCop", 5, "bl.spamcop.net"),
    ]


@pytest.mark.parametrize(
    ("words", "name", "removal"),
    [
        (
            "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent: it is on our block list (S3140).",
            "Outlook.com",
            "https://olcsupport.office.com/",
        ),
        (
            "550 5.7.606 Access denied, banned sending IP [192.0.2.1]. To request removal: https://sender.office.com/",
            "Microsoft 365",
            "https://sender.office.com/",
        ),
        ("554 5.7.1 [PR3] blocked - see https://ipcheck.proofpoint.com/?ip=#", "Proofpoint", "https://ipcheck"),
        ("554 5.7.1 <jan@wp.pl>: Twój adres IP został zablokowany", "WP (wp.pl, o2.pl)", ""),
        ("554 5.7.1 <jan@firma.test>: your host is on our own list", None, None),
        ("554 5.7.1 <jan@op.plus.test>: your host is on our own list", None, None),
        ("554 5.7.1 <jan@op.pl.firma.test>: your host is on our own list", None, None),
    ],
)
def test_by_providers(words: str, name: str | None, removal: str | None) -> None:
    """A large provider's own list is told with the way off it; any small server's is not."""
    found = [hit.blocklist for hit in blocklists.hits([], [(words, 1)])]
    assert [each.name for each in found] == ([] if name is None else [name])
    assert all(each.removal.startswith(removal or "") and each.provider == (name != "Proofpoint") for each in found)


def test_note() -> None:
    """A provider without a page that is known has the address that every domain must have (RFC 5321 section 4.5.1)."""
    (found,) = blocklists.hits([], [("554 <jan@interia.pl>: adres zablokowany", 1)])
    assert "postmaster@interia.pl" in found.blocklist.note(Language.EN)
    assert found.blocklist.note(Language.PL) == "napisz na adres postmaster@interia.pl"

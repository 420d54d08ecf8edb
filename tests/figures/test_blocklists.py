"""Blocklists: which one the words name, and where removal is asked for."""

from __future__ import annotations

import pytest

from bouncemilter.figures import blocklists


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
    ],
)
def test_named(words: str, name: str) -> None:
    """The list is the shipped one of that name, else the zone that the words name, else a nameless one."""
    found = blocklists.named(words)
    assert found.name == name
    assert found.removal.startswith("https://")


def test_table() -> None:
    """Each shipped list says where removal is asked for, or why nowhere; no mark of one is another's before it."""
    table = blocklists._table()
    for index, (blocklist, marks) in enumerate(table):
        assert blocklist.removal.startswith("https://") or blocklist.note
        assert all(mark == mark.lower() for mark in marks)
        for mark in marks:
            assert blocklists.named(mark) == blocklist, (index, mark)


def test_hits() -> None:
    """Refusals are added up by list, the most frequent first, with the words of one."""
    found = blocklists.hits([("zen.spamhaus.org", 2), ("bl.spamcop.net", 5), ("sbl.spamhaus.org", 4)])
    assert [(hit.blocklist.name, hit.n, hit.diagnostic) for hit in found] == [
        ("Spamhaus", 6, "zen.spamhaus.org"),
        ("SpamCop", 5, "bl.spamcop.net"),
    ]

"""The bundle for a provider: its words, and nobody's name."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest

from bouncemilter.model import Category
from bouncemilter.statistics import bundle
from bouncemilter.statistics.anonymous import Anonymizer
from bouncemilter.statistics.query import Query
from tests.statistics.mailing import NOON, failure

PERSONS = Anonymizer(b"k" * 32)
JAN = "jan.kowalski@wp.pl"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("550 5.1.1 <jan.kowalski@wp.pl>: User unknown", "550 5.1.1 <{jan}@wp.pl>: User unknown"),
        ("550 Mailbox jan.kowalski is full", "550 Mailbox {jan} is full"),
        ("550 Pan Jan Kowalski już tu nie pracuje", "550 Pan [name] [name] już tu nie pracuje"),
        ("550 JAN.KOWALSKI@WP.PL unknown", "550 {jan}@WP.PL unknown"),
        (
            "550 https://help.wp.pl/?to=jan.kowalski%40wp.pl&p=NoSuchUser",
            "550 https://help.wp.pl/?to={jan}%40wp.pl&p=NoSuchUser",
        ),
        ("550 relaying for <b+k4qz.jan.kowalski=wp.pl@bounces.own.test>", "550 relaying for <{verp}@bounces.own.test>"),
        ("550 https://wp.pl/?to=jan.kowalski@wp.pl", "550 https://wp.pl/?to={jan}@wp.pl"),
        ("550 Jan_Kowalski nie ma, KOWALSKI też", "550 [name]_[name] nie ma, [name] też"),
        ("550 Jań KOWAŁSKI", "550 [name] [name]"),
        ("550 write to postmaster@wp.pl, abuse@wp.pl", None),
        ("554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org id=17", None),
        ("550 5.1.1 janowo.example.pl: no such user here", None),
    ],
)
def test_words(said: str, told: str | None) -> None:
    """Addresses and the recipient's names are replaced wherever they stand; hosts, codes and ids stay."""
    mark = PERSONS.address(JAN).partition("@")[0]
    verp = PERSONS.address("b+k4qz.jan.kowalski=wp.pl@bounces.own.test").partition("@")[0]
    assert PERSONS.words(said, JAN) == (told or said).format(jan=mark, verp=verp)


def test_other_addresses() -> None:
    """Somebody else's address has a mark of its own, in any case of letters the same; quoted ones too."""
    told = PERSONS.words('550 <ewa@onet.pl>, EWA@onet.pl, "a b"@onet.pl', JAN)
    assert "ewa" not in told.lower()
    marks = [each.partition("@")[0].strip("<") for each in told.split()[1:3]]
    assert marks[0] == marks[1] != PERSONS.address(JAN).partition("@")[0]


@pytest.mark.parametrize(
    "said",
    [
        "relaying for <b+k4qz.ewa.nowak=onet.pl@bounces.own.test> denied",
        "forward for SRS0=HHH=TT=onet.pl=ewa.nowak@forward.example failed",
        "IMCEAEX-_O=EXCHANGELABS_CN=RECIPIENTS_CN=0123-Ewa.Nowak@eurprd.prod.outlook.com",
        "prvs=1234abcdef=ewa.nowak@onet.pl, o'nowak@onet.pl",
        "https://wp.pl/?a=1&b=ewa.nowak%2Bnews%40onet.pl",
    ],
)
def test_wrapped_addresses(said: str) -> None:
    """An address within another one goes with it: nothing is left of a person who is not the recipient."""
    assert "nowak" not in PERSONS.words(said, JAN).lower()


def test_stock_words() -> None:
    """A role account does not take the sense out of a reply."""
    assert (
        PERSONS.words("550 user unknown, mailbox info not found", "user@wp.pl")
        == "550 user unknown, mailbox info not found"
    )


def test_another_bundle() -> None:
    """Marks can't be followed from one bundle to the next."""
    assert PERSONS.address(JAN) != Anonymizer(b"m" * 32).address(JAN)


def test_bundle() -> None:
    """It holds times, hosts, codes, words, Message-IDs and counts; subjects, persons and formulas it does not."""
    events = [
        failure(JAN, Category.CONTENT_BLOCKED, diagnostic=f"=550 spam from <{JAN}>", subject="Tajne"),
        failure(JAN, Category.USER_UNKNOWN, report_message_id=f"<x.{JAN}>"),
    ]
    rows = [bundle.row(each, PERSONS) for each in events]
    file = zipfile.ZipFile(io.BytesIO(bundle.write(rows, Query(NOON.date(), NOON.date(), provider="wp.pl"))))
    assert file.testzip() is None
    content = {name: file.read(name).decode() for name in file.namelist()}
    assert sorted(content) == ["README.txt", "counts.csv", "refusals.csv", "refusals.jsonl"]
    for text in content.values():
        for secret in ("jan", "kowalski", "tajne", "b@bounces"):
            assert secret not in text.lower()
    table = list(csv.DictReader(io.StringIO(content["refusals.csv"])))
    assert [each["category"] for each in table] == ["content_blocked", "user_unknown"]
    assert table[0]["words"].startswith("'=550 spam from <person-")
    assert table[0]["message_id"] == events[0].returned.message_id
    assert (table[0]["at"], table[0]["host"]) == ("2026-10-20T12:00:00+00:00", "mx.wp.pl")
    assert [json.loads(each)["category"] for each in content["refusals.jsonl"].splitlines()] == [
        "content_blocked",
        "user_unknown",
    ]
    assert content["counts.csv"].splitlines()[1:] == ["content_blocked,550,5.1.1,1", "user_unknown,550,5.1.1,1"]
    assert "wp.pl" in content["README.txt"]

"""Lists of others: each format is recognised, and each row says what it means there."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncemilter.cli.show import plain
from bouncemilter.exchange import moment, reading, table, writing
from bouncemilter.exchange.reading import FORMATS, Reading
from bouncemilter.exchange.record import Bad, Entry, Skip
from bouncemilter.lists import ListError, Source
from bouncemilter.model import Category, Cause, Scope, Suppression

JAN, EWA = "jan@example.pl", "ewa@example.org"


def read(content: bytes, name: str, wanted: str = "auto") -> Reading:
    return reading.read(Source(Path(name), io.BytesIO(content)), wanted)


def entries(content: str | bytes, name: str = "list.csv", wanted: str = "auto") -> tuple[str, list[Any]]:
    found = read(content.encode() if isinstance(content, str) else content, name, wanted)
    return found.format, [entry for _, entry in found.rows]


def told(content: str | bytes, name: str = "list.csv") -> list[tuple[str, str, str | None, str | None]]:
    """Format, address, cause and day of each row; of a skipped one its reason."""
    form, found = entries(content, name)
    return [
        (form, each.address, each.cause, f"{each.at:%Y-%m-%d}" if each.at else None)
        if isinstance(each, Entry)
        else (form, "", each.reason, None)
        for each in found
    ]


SES = """{"SuppressedDestinationSummaries": [
  {"EmailAddress": "jan@example.pl", "Reason": "BOUNCE", "LastUpdateTime": "2020-04-10T21:03:05Z"},
  {"EmailAddress": "ewa@example.org", "Reason": "COMPLAINT", "LastUpdateTime": 1586552585.077}], "NextToken": "x"}"""
LISTMONK_BOUNCES = """{"data": {"results": [
  {"id": 1, "type": "hard", "source": "ses", "created_at": "2022-01-02T10:00:00Z", "email": "jan@example.pl"},
  {"id": 2, "type": "soft", "source": "ses", "created_at": "2022-01-02T10:00:00Z", "email": "x@example.pl"},
  {"id": 3, "type": "complaint", "source": "", "created_at": "2022-01-03T10:00:00Z", "email": "ewa@example.org"}]}}"""
POSTMARK = (
    "EmailAddress,SuppressionReason,Origin,CreatedAt\n"
    "jan@example.pl,HardBounce,Recipient,2019-12-10T08:58:33-05:00\n"
    "ewa@example.org,ManualSuppression,Recipient,2019-12-11T08:58:33-05:00\n"
    "x@example.pl,ManualSuppression,Customer,2019-12-11T22:58:33-05:00\n"
    "y@example.pl,SpamComplaint,Recipient,\n"
)
CLEANED = (
    '"Email Address","First Name",CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,LEID,EUID\n'
    '"jan@example.pl","Jan","2019-05-13 12:32:11","Maj",1,2\n'
)
SUBSCRIBERS = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    "1c9f,jan@example.pl,Jan,{},blocklisted,2021-04-10T21:03:05Z,2022-04-10T21:03:05Z\n"
    "1c9e,ewa@example.org,Ewa,{},enabled,2021-04-10T21:03:05Z,2022-04-10T21:03:05Z\n"
)
SOFT = "a soft bounce, which suppressed nobody"

KNOWN: tuple[tuple[str, str, list[tuple[str, str, str | None, str | None]]], ...] = (
    (SES, "x.json", [("ses", JAN, "hard", "2020-04-10"), ("ses", EWA, "complaint", "2020-04-10")]),
    (
        "jan@example.pl,BOUNCE\newa@example.org,COMPLAINT\n",
        "x.csv",
        [("ses", JAN, "hard", None), ("ses", EWA, "complaint", None)],
    ),
    (
        '{"emailAddress":"jan@example.pl","reason":"BOUNCE"}\n{"emailAddress":"ewa@example.org","reason":"COMPLAINT"}\n',
        "x.json",
        [("ses", JAN, "hard", None), ("ses", EWA, "complaint", None)],
    ),
    (
        "status,reason,email,created\n5.1.1,550 no such user,jan@example.pl,1443651125\n",
        "suppression_bounces.csv",
        [("sendgrid", JAN, "hard", "2015-09-30")],
    ),
    (
        '[{"created": 1443651141, "email": "jan@example.pl", "ip": "192.0.2.1"}]',
        "x.json",
        [("sendgrid", JAN, "complaint", "2015-09-30")],
    ),
    ("email,created\njan@example.pl,1443651141\n", "spam_reports.csv", [("sendgrid", JAN, "complaint", "2015-09-30")]),
    ("email,created\njan@example.pl,1443651141\n", "x.csv", [("sendgrid", JAN, "unsubscribe", "2015-09-30")]),
    (
        'address,code,error,created_at\njan@example.pl,550,No such mailbox,"Fri, 21 Oct 2011 11:02:55 UTC"\n',
        "x.csv",
        [("mailgun", JAN, "hard", "2011-10-21")],
    ),
    (
        '{"items": [{"address": "jan@example.pl", "tags": ["*"], "created_at": "Fri, 21 Oct 2011 11:02:55 UTC"}]}',
        "x.json",
        [("mailgun", JAN, "unsubscribe", "2011-10-21")],
    ),
    (
        'address,created_at\njan@example.pl,"Fri, 21 Oct 2011 11:02:55 GMT"\n',
        "complaints.csv",
        [("mailgun", JAN, "complaint", "2011-10-21")],
    ),
    (
        POSTMARK,
        "x.csv",
        [
            ("postmark", JAN, "hard", "2019-12-10"),
            ("postmark", EWA, "unsubscribe", "2019-12-11"),
            ("postmark", "x@example.pl", "manual", "2019-12-12"),
            ("postmark", "y@example.pl", "complaint", None),
        ],
    ),
    (
        CLEANED,
        "cleaned_members_export_1.csv",
        [("mailchimp", JAN, "hard", "2019-05-13")],
    ),
    (
        '"Email Address",UNSUB_TIME,UNSUB_REASON,LEID,EUID\n"jan@example.pl","2019-05-13 12:32:11",NORMAL,1,2\n',
        "unsubscribed_members_export_1.csv",
        [("mailchimp", JAN, "unsubscribe", "2019-05-13")],
    ),
    (
        '"Email Address",MEMBER_RATING,LEID,EUID\n"jan@example.pl",4,1,2\n',
        "subscribed_members_export_1.csv",
        [("mailchimp", "", "not suppressed there, either", None)],
    ),
    (
        SUBSCRIBERS,
        "x.csv",
        [("listmonk", JAN, "manual", "2022-04-10"), ("listmonk", "", "not suppressed there, either", None)],
    ),
    (
        LISTMONK_BOUNCES,
        "x.json",
        [
            ("listmonk", JAN, "hard", "2022-01-02"),
            ("listmonk", "", SOFT, None),
            ("listmonk", EWA, "complaint", "2022-01-03"),
        ],
    ),
    (
        "# ours\n\njan@example.pl\n  Ewa <ewa@example.org>,\n",
        "x.txt",
        [("plain", JAN, None, None), ("plain", f"Ewa <{EWA}>", None, None)],
    ),
    ("jan@example.pl 550 5.7.1 no\n", "x", [("plain", JAN, None, None)]),
    ('["jan@example.pl"]', "x.json", [("plain", JAN, None, None)]),
    ("Imię;Adres e-mail;Data\nJan;jan@example.pl;31.12.2023 14:05\n", "x.csv", [("csv", JAN, None, "2023-12-31")]),
    ("name\twho\nJan\tjan@example.pl\n", "x.tsv", [("csv", JAN, None, None)]),
)


@pytest.mark.parametrize(("content", "name", "wanted"), KNOWN)
def test_formats(content: str, name: str, wanted: list[tuple[str, str, str | None, str | None]]) -> None:
    """Each export is recognised by its columns; address, cause and date are the ones that it names."""
    assert told(content, name) == wanted


def test_blocks_are_the_senders() -> None:
    """SendGrid's list of blocks is about the sender: the row says so."""
    _, (found,) = entries("status,reason,email,created\n4.0.0,blocked,jan@example.pl,1443651125\n", "blocks.csv")
    assert found.blocked


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "windows-1250", "iso-8859-2"]
)
def test_encodings(codec: str) -> None:
    """Polish text is the same in each of the encodings that lists come in."""
    content = "Address;Note\njan@example.pl;zażółć gęślą jaźń, ŚĆ\n".encode(codec)
    _, (found,) = entries(content)
    assert (found.address, found.note) == (JAN, "zażółć gęślą jaźń, ŚĆ")


def test_a_few_broken_octets() -> None:
    """One row with octets that are no UTF-8 does not change how the others are read."""
    content = "address,note\nżółw@example.pl,Łódź\n".encode() + b"j\xe9n@example.pl,x\n"
    _, (first, second) = entries(content)
    assert (first.address, first.note) == ("żółw@example.pl", "Łódź")
    assert "\ufffd" in second.address


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n  \n", "empty"),
        (b"PK\x03\x04" + b"\0" * 100, "an archive, but no .xlsx workbook"),
        (b'{"items": [{"address": "a@b.test"}]}\n{"items": [', "line 2: broken JSON"),
        (bytes(range(32)) * 50, "a binary file, no list"),
        (b"name,city\nJan,Lublin\n", "no column of e-mail addresses"),
        (b'address,note\njan@example.pl,"never closed\nx,y\n', "record 2: a quote is opened and never closed"),
        (b'{"a": 1', "line 1: broken JSON"),
        (b"[" * 100_000, "broken JSON"),
        (b'{"items": 7}', "no column of e-mail addresses"),
        (b"[7, [8]]", "no column of e-mail addresses"),
        (b"a," * 5000 + b"\n", "more than 1000 columns"),
    ],
)
def test_no_list(content: bytes, words: str) -> None:
    """What is no list is refused with the place and the reason, and never with another exception."""
    with pytest.raises(ListError, match=words):
        list(read(content, "x.csv").rows)


def test_hostile_rows() -> None:
    """A cell of a megabyte, formulas and markup are rows like others; line numbers go on behind them."""
    big = "x" * 1_000_000
    content = f'address,note\n=1+1@example.pl,[red]\na b@example.pl,x\n"{big}",y\n"two\nlines",x\n{JAN},ok\n'
    found = list(read(content.encode(), "x.csv").rows)
    assert [number for number, _ in found] == [2, 3, 4, 5, 7]
    assert isinstance(found[-1][1], Entry)
    assert found[-1][1].address == JAN


@pytest.mark.parametrize("indent", [4, None])
def test_pages_behind_each_other(indent: int | None) -> None:
    """An API's answers, page by page in one file, each in a line or over many, are one list."""
    page = {
        "SuppressedDestinationSummaries": [{"EmailAddress": "jan@klient.test", "Reason": "BOUNCE"}],
        "NextToken": "x",
    }
    last = {"SuppressedDestinationSummaries": [{"EmailAddress": "ewa@klient.test", "Reason": "COMPLAINT"}]}
    found = read("\n".join(json.dumps(each, indent=indent) for each in (page, page, last)).encode(), "pages.json")
    assert (found.format, found.partial) == ("ses", False)
    assert [(each.address, each.cause) for _, each in found.rows if isinstance(each, Entry)] == [
        ("jan@klient.test", Cause.HARD),
        ("jan@klient.test", Cause.HARD),
        ("ewa@klient.test", Cause.COMPLAINT),
    ]


def test_bad_json_lines() -> None:
    """Of JSON lines each bad one is told by its number."""
    found = list(read(b'{"address": "jan@example.pl"}\n{"address"\n7\n', "x.jsonl").rows)
    assert [type(entry) for _, entry in found] == [Entry, Bad, Bad]
    assert [number for number, _ in found] == [1, 2, 3]


MOMENTS = (
    ("2023-12-31", dt.datetime(2023, 12, 31, tzinfo=dt.UTC)),
    ("2023-12-31 14:05:06 UTC", dt.datetime(2023, 12, 31, 14, 5, 6, tzinfo=dt.UTC)),
    ("2023-12-31T14:05:06+01:00", dt.datetime(2023, 12, 31, 13, 5, 6, tzinfo=dt.UTC)),
    ("31.12.2023 14:05", dt.datetime(2023, 12, 31, 14, 5, tzinfo=dt.UTC)),
    ("1704031506", dt.datetime(2023, 12, 31, 14, 5, 6, tzinfo=dt.UTC)),
    ("1704031506000", dt.datetime(2023, 12, 31, 14, 5, 6, tzinfo=dt.UTC)),
    ("Sun, 31 Dec 2023 14:05:06 GMT", dt.datetime(2023, 12, 31, 14, 5, 6, tzinfo=dt.UTC)),
    ("45291.5", dt.datetime(2023, 12, 31, 12, tzinfo=dt.UTC)),
    ("12345", None),
    ("03/04/2023", None),
    ("31.13.2023", None),
    ("0001-01-01T00:00:00+23:00", None),
    ("yesterday", None),
    ("9" * 400, None),
    ("", None),
)


@pytest.mark.parametrize(("written", "wanted"), MOMENTS)
def test_moments(written: str, wanted: dt.datetime | None) -> None:
    """Every usual way to write a time gives UTC; what may be two days is none."""
    assert moment.parse(written) == wanted


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20) | st.sampled_from(
    ["=1+1", "'=1+1", "''", "a,b;c", 'say "no"', "null", "-", "@x"]
)
_TIMES = st.integers(0, 2**32).map(lambda seconds: dt.datetime.fromtimestamp(seconds + 0.25, dt.UTC))


@given(
    st.lists(
        st.builds(
            Suppression,
            id=st.just(1),
            address_key=st.just(JAN),
            address=st.sampled_from(
                [JAN, "=jan@example.pl", "'+jan@example.pl", "żółw@example.pl", '"a,b"@example.pl']
            ),
            scope=st.sampled_from(Scope),
            scope_value=_TEXTS,
            cause=st.sampled_from(Cause),
            created_at=_TIMES,
            expires_at=st.none() | _TIMES,
            created_by=_TEXTS,
            note=_TEXTS,
            category=st.none() | st.sampled_from(Category),
            diagnostic=_TEXTS,
        ),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from(["csv", "jsonl"]),
)
def test_what_is_written_is_read(found: list[Suppression], form: str) -> None:
    """Whatever stands in a suppression, our own export of it says the same when it is read."""
    rows = [writing.row(each, raw=False) if form == "csv" else writing.json_line(plain(each)) for each in found]
    read_form, again = entries("".join([writing.heading(), *rows] if form == "csv" else rows), f"x.{form}")
    names = ["address", "cause", "scope", "scope_value", "expires_at", "note", "category", "diagnostic"]
    assert read_form == form
    assert [each.at for each in again] == [each.created_at for each in found]
    for old, new in zip(found, again, strict=True):
        assert [getattr(new, name) for name in names] == [getattr(old, name) for name in names]


def test_own_rows() -> None:
    """Our own export is read with everything that it says; what is not in force is skipped."""
    row = (
        '{"address": "jan@example.pl", "scope": "list", "scope_value": "l.example.pl", "cause": "soft", '
        '"created_at": "2024-05-01T00:00:00+00:00", "expires_at": "2024-08-01T00:00:00+00:00", "note": "x"}\n'
    )
    form, (found, ended) = entries(row + row.replace('"note"', '"ended_at": "2024-06-01", "note"'), "x.jsonl")
    assert (form, found.scope, found.scope_value, found.cause) == ("jsonl", Scope.LIST, "l.example.pl", Cause.SOFT)
    assert found.expires_at == dt.datetime(2024, 8, 1, tzinfo=dt.UTC)
    assert isinstance(ended, Skip)


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that would fill the memory is refused."""
    monkeypatch.setattr(table, "LARGEST", 10)
    with pytest.raises(ListError, match="split it"):
        read(b"jan@example.pl\n", "x")


_PIECES = st.sampled_from(
    [
        b"address",
        b"email",
        b"cause",
        b"scope",
        b"created",
        b"jan@example.pl",
        b",",
        b";",
        b"\t",
        b"\n",
        b"\r",
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"\0",
        b"\xff\xfe",
        b"\xb3",
        b"items",
        b"reason",
        b"emailaddress",
        b"=",
        b"#",
        b"7",
        b"null",
        b"<",
    ]
)


@given(st.lists(st.one_of(_PIECES, st.binary(max_size=4)), max_size=60).map(b"".join), st.sampled_from(FORMATS))
def test_anything(content: bytes, wanted: str) -> None:
    """Whatever octets it gets: rows, or the documented error, and nothing else."""
    said, numbers = "", []
    try:
        for number, _ in read(content, "bounces.csv", wanted).rows:
            numbers.append(number)
    except ListError as error:
        said = str(error)
    assert said.isprintable()
    assert numbers == sorted(set(numbers))

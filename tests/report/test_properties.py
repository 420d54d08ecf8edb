"""Any bytes are a Report, and nothing else: no exception, clean texts, everything within limits."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bouncemilter import limits, report, text
from bouncemilter.model import Action, Defect, Kind, Report
from bouncemilter.report import reader

CASES = sorted((Path(__file__).parent / "cases").glob("*.eml"))
PIECES = [
    b"\r\n", b"\n", b"\r", b"\n\n", b"--b", b"--b--", b"\n--b\n", b"Content-Type: multipart/report; boundary=b\n\n",
    b"Content-Type: message/delivery-status\n\n", b"Content-Type: message/rfc822\n\n", b"Content-Type: text/html\n\n",
    b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: x-uuencode\n", b"begin 644 x\n",
    b"Final-Recipient: rfc822;", b"Original-Recipient: ", b"Action: failed\n", b"Status: 5.1.1\n",
    b"Diagnostic-Code: smtp; ",
    b"a@example.pl", b"<a@example.pl>:",
    b"<", b">", b"@", b'"', b"((((", b'""@', b"<[", b"<@>", b"=?utf-8?q?", b"?=", b"\x00", b"\xff",
    b"\xed\xa0\x80", b"\x1b[31m", b"\xe2\x80\xae", b"From: MAILER-DAEMON@example.net\n", b"Subject: failure notice\n",
    b"Return-Path: <>\n", b"X-Failed-Recipients: ", b"550 5.1.1 User unknown\n", b"(in reply to RCPT TO command)",
    b"\n   ----- Transcript of session follows -----\n", b"A message that you sent could not be delivered\n",
    b"wypisz", b"unsubscribe",
    b"Auto-Submitted: auto-replied\n", b"Feedback-Type: abuse\n", b"Content-Type: message/feedback-report\n\n",
    b"&#99999999;", b"<style",
    b"did not reach the following recipient(s):\n", b"charset=punycode", b"; boundary*0=", b"\\x{110000}", b"+2B",
]  # fmt: skip


def texts(value: object) -> Iterator[str]:
    """Every string within a report."""
    if isinstance(value, str):
        if not isinstance(value, Enum):
            yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from texts(each)
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name))


def check(raw: bytes, *, truncated: bool = False) -> Report:
    """The reader itself does not raise, and what it says is fit to be stored and shown."""
    found = reader.understand(raw, truncated=truncated)
    assert Defect.UNPARSEABLE not in found.defects
    for each in texts(found):
        assert each == text.clean(each, limits.DIAGNOSTIC + 1), each
    assert len(found.recipients) <= limits.RECIPIENTS
    assert all(len(each.address.encode()) <= limits.ADDRESS for each in found.recipients)
    if found.kind is Kind.MAIL:
        assert not found.recipients
        assert not found.excerpt
    if found.kind in (Kind.BOUNCE, Kind.DELAYED) and found.recipients:
        wanted = Action.FAILED if found.kind is Kind.BOUNCE else Action.DELAYED
        assert wanted in {each.action for each in found.recipients}
    return found


@given(st.binary(max_size=2000))
def test_any_bytes(raw: bytes) -> None:
    """Any bytes are a Report."""
    check(raw)


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=60).map(b"".join))
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_any_pieces_of_reports(raw: bytes) -> None:
    """Any jumble of what reports are made of is a Report."""
    check(raw)


@given(st.sampled_from(CASES), st.data())
@settings(max_examples=300)
def test_damaged_reports(path: Path, data: st.DataObject) -> None:
    """A real report that is cut, doubled or overwritten anywhere is a Report."""
    raw = path.read_bytes()
    at = data.draw(st.integers(0, len(raw)))
    upto = data.draw(st.integers(at, len(raw)))
    piece = data.draw(st.sampled_from(PIECES) | st.binary(max_size=20) | st.just(raw[at:upto]))
    check(raw[:at] + piece + raw[upto:], truncated=data.draw(st.booleans()))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_cut_reports(path: Path) -> None:
    """A report that ends after any line is a Report."""
    lines = path.read_bytes().splitlines(keepends=True)
    for count in range(0, len(lines), 3):
        check(b"".join(lines[:count]))


def test_faults_of_the_reader_are_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong inside is a person's mail with the defect `unparseable` (F12)."""

    def fail(*_: object, **__: object) -> Report:
        raise RecursionError

    monkeypatch.setattr(reader, "understand", fail)
    assert report.read(b"Subject: x\n\n") == Report(kind=Kind.MAIL, defects=(Defect.UNPARSEABLE,))


HOSTILE = {
    "newlines": b"\n" * limits.KEPT_BYTES,
    "headers": b"a: b\n" * 80_000,
    "parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 130_000,
    "multiparts": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(800)),
    "messages": b"Content-Type: message/rfc822\n\n" * 1000,
    "parameters": b"Content-Type: multipart/mixed" + b"; a=b" * 32_000 + b"\n\n",
    "continuations": b"Content-Type: multipart/mixed" + b"".join(b"; b*%d=x" % n for n in range(16_000)) + b"\n\n",
    "words": b"Subject: " + b"=?utf-8?q?=C5=82?= " * 27_000 + b"\n\n",
    "blocks": b"Content-Type: message/delivery-status\n\n"
    + b"Final-Recipient: rfc822;a@b.pl\nAction: failed\n\n" * 11_000,
    "addresses": b"From: MAILER-DAEMON@b.pl\nSubject: failure notice\n\nfailed\n" + b"<a@b.pl>:\n" * 32_000,
    "brackets": b"From: MAILER-DAEMON@b.pl\nSubject: failure notice\n\nfailed " + b"<" * 500_000,
    "letters": b"From: MAILER-DAEMON@b.pl\nSubject: failure notice\n\nfailed " + b"a" * 500_000,
    "surrogates": b"\xed\xa0\x80" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(name: str) -> None:
    """Messages made to exhaust a parser are read within limits (F25, F26, F27, F29)."""
    check(HOSTILE[name])

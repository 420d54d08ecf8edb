"""The fingerprint: equal for one mail on every way in, different for different mails."""

import pytest

from bouncemilter.report import fingerprint
from bouncemilter.report.identity import HASHED, SIZE

MAIL = (
    b"From: MAILER-DAEMON@example.net\nMessage-ID: <a@example.net>\nDate: Mon, 6 Jan 2025 10:00:00 +0100\n\n"
    b"line\n\nend\n"
)


@pytest.mark.parametrize(
    "copy",
    [
        MAIL.replace(b"\n", b"\r\n"),
        b"Return-Path: <>\nDelivered-To: x\nReceived: by mx\n\tfor x\n" + MAIL,
        b"From MAILER-DAEMON Mon Jan  6 10:00:00 2025\nReturn-Path: <>\n" + MAIL + b"\n",
        MAIL.rstrip(b"\n"),
        MAIL + b" \r\n\t\n",
    ],
    ids=["crlf", "trace", "mbox", "no end", "white end"],
)
def test_one_mail(copy: bytes) -> None:
    """Line ends, trace headers, mbox lines and white space at the end make no difference."""
    assert fingerprint(copy) == fingerprint(MAIL)
    assert len(fingerprint(copy)) == SIZE


@pytest.mark.parametrize(
    "other",
    [
        MAIL.replace(b"<a@", b"<b@"),
        MAIL.replace(b"line", b"lime"),
        MAIL.replace(b"line\n\n", b"line\n"),
        MAIL.replace(b"Message-ID: <a@example.net>\n", b""),
        b"",
    ],
)
def test_another_mail(other: bytes) -> None:
    """Another Message-ID, another body, or none of either make a difference."""
    assert fingerprint(other) != fingerprint(MAIL)


@pytest.mark.parametrize("broken", [b"", b"Message-ID: <[\n", b"Message-ID: x\n", b"Message-ID: <>\n"])
def test_date_stands_in(broken: bytes) -> None:
    """Without a whole Message-ID the Date tells two reports with equal bodies apart."""
    first = MAIL.replace(b"Message-ID: <a@example.net>\n", broken)
    assert fingerprint(first) == fingerprint(first.replace(b"\n", b"\r\n"))
    assert fingerprint(first) != fingerprint(first.replace(b"10:00", b"10:01"))


@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_bound(more: int, line_end: bytes) -> None:
    """The octets of the body up to the bound count, those behind it don't, with either line end."""
    head = b"Message-ID: <a@example.net>\n\n"
    body = bytearray(b"\n0123456" * (HASHED // 8 + 1))
    same = fingerprint(head + body)
    body[HASHED + more] ^= 1
    assert (fingerprint((head + body).replace(b"\n", line_end)) == same) == (more >= 0)

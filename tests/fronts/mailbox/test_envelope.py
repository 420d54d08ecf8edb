"""The envelope of a mail in a mailbox: recipient, sender and time."""

from __future__ import annotations

import datetime as dt

import pytest

from bouncemilter.fronts.mailbox.envelope import envelope
from bouncemilter.fronts.mailbox.source import StoredMessage
from bouncemilter.report import moment
from bouncemilter.report.header import Headers
from bouncemilter.returnpath import Recognizer, ReturnPath

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
OWNER = Recognizer([ReturnPath("bounces.own.test", "b")], ["news@own.test"]).ownership
VERP = "b+jan=klient.test@bounces.own.test"


def found(headers: str, address: str = "") -> tuple[str, str] | None:
    """Sender and recipient of a mail with these headers."""
    made = envelope(StoredMessage(f"{headers}\n\nx".encode(), 9, None), OWNER, address, NOW)
    return (made.envelope.sender, made.envelope.recipients[0]) if made else None


@pytest.mark.parametrize(
    ("headers", "recipient"),
    [
        (f"Delivered-To: {VERP}", VERP),
        (f"X-Original-To: <{VERP}>", VERP),
        (f"Envelope-To: {VERP}", VERP),
        (f"To: Bounces <{VERP}>", VERP),
        (f"Cc: {VERP}", VERP),
        (f"Delivered-To: news@own.test\nX-Original-To: {VERP}", VERP),
        (f"Delivered-To: office@own.test\nDelivered-To: {VERP}", VERP),
        (f"Delivered-To: news@own.test\nTo: {VERP}", "news@own.test"),
        ("To: NEWS@own.test", "NEWS@own.test"),
        ("To: undisclosed-recipients:;", None),
        ("Delivered-To: postmaster@bounces.own.test", None),
        ("Subject: x", None),
    ],
)
def test_recipient(headers: str, recipient: str | None) -> None:
    """What was written at delivery counts before To; a return path before a mailbox; nothing of ours, no envelope."""
    made = found(headers)
    assert (made[1] if made else None) == recipient
    fallback = found(headers, "office@own.test")
    assert fallback is not None
    assert fallback[1] == (recipient or "office@own.test")


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        ("Return-Path: <>\nFrom: jan@klient.test", ""),
        ("Return-Path: <ewa@klient.test>\nFrom: jan@klient.test", "ewa@klient.test"),
        ("Return-Path: <ewa@klient.test>\nReturn-Path: <>", "ewa@klient.test"),
        ("From: Jan <jan@klient.test>", "jan@klient.test"),
        ("Subject: x", ""),
    ],
)
def test_sender(headers: str, sender: str) -> None:
    """The topmost Return-Path; without one, who stands in From, so that a person's mail stays one."""
    made = found(f"Delivered-To: {VERP}\n{headers}")
    assert made is not None
    assert made[0] == sender


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ("Received: from a (b [8.8.4.4]) by c\nReceived: from d ([9.9.9.9])", "8.8.4.4"),
        ("Received: from a ([127.0.0.1]) by b\nReceived: from c ([10.0.0.1])\nReceived: from ([9.9.9.9])", "9.9.9.9"),
        ("Received: from a ([IPv6:2620:fe::9]) by b", "2620:fe::9"),
        ("Received: from a ([1.2.3]) ([::::]) ([999.1.1.1]) by b", ""),
        ("Subject: x", ""),
    ],
)
def test_client(headers: str, client: str) -> None:
    """Who brought it is the first public address from the top: caps are counted by it."""
    made = envelope(StoredMessage(f"To: {VERP}\n{headers}\n\nx".encode(), 9, None), OWNER, "", NOW)
    assert made is not None
    assert made.envelope.client == client


@pytest.mark.parametrize(
    ("headers", "at"),
    [
        (b"Received: a; Sat, 28 Feb 2026 10:00:00 +0100\nReceived: b; Fri, 27 Feb 2026 1:0:0 +0000", "02-28T09:00"),
        (b"Received: nothing\nDate: Sat, 28 Feb 2026 10:00:00 -0000", "02-28T10:00"),
        (b"Received: a by b;\n Sat, 28 Feb 2026 10:00:00 +0000 (UTC)\nDate: x", "02-28T10:00"),
        (b"Date: Mon, 31 Feb 2026 10:00:00 +0000", None),
        (b"Date: 1 Jan 99999 00:00:00 +0000", None),
        (b"Received: ;;;\nDate:", None),
        (b"", None),
    ],
)
def test_time_of_headers(headers: bytes, at: str | None) -> None:
    """The topmost Received, else Date; what can't be a time is none."""
    made = moment.of_headers(Headers(headers, set()))
    assert (made and f"{made:%m-%dT%H:%M}") == at


@pytest.mark.parametrize(
    ("written", "at"),
    [
        (b" 5-Jan-2026 09:00:00 +0100", "2026-01-05T08:00:00+00:00"),
        (b"05-jan-2026 09:00:00 -0130", "2026-01-05T10:30:00+00:00"),
        (b"05-Jan-0001 00:00:00 +2300", "0001-01-04T01:00:00+00:00"),
        (b"05-Xyz-2026 09:00:00 +0100", None),
        (b"99-Jan-2026 09:00:00 +0100", None),
        (b"01-Jan-0001 00:00:00 +2300", None),
        (b"2026-01-05", None),
    ],
)
def test_internaldate(written: bytes, at: str | None) -> None:
    """IMAP's date-time, or none."""
    made = moment.of_internaldate(written)
    assert (made and made.isoformat()) == at


@pytest.mark.parametrize(
    ("line", "at"),
    [
        (b"From MAILER-DAEMON Mon Jan  5 09:00:00 2026\n", "2026-01-05T09:00:00+00:00"),
        (b"From a b c Mon Jan 5 09:00 2026\n", "2026-01-05T09:00:00+00:00"),
        (b"From x@y.test Mon Jan  5 09:00:00 CET 2026 remote from z\n", "2026-01-05T09:00:00+00:00"),
        (b"From x Mon Foo  5 09:00:00 2026\n", None),
        (b"From \n", None),
        (b"From " + b"A" * 60_000, None),
    ],
)
def test_from_line(line: bytes, at: str | None) -> None:
    """The date of an mbox's `From ` line, in its variants."""
    made = moment.of_from_line(line)
    assert (made and made.isoformat()) == at


def test_never_ahead() -> None:
    """A time that lies ahead, or none, is now."""
    assert moment.clamped(NOW + dt.timedelta(seconds=1), NOW) == NOW
    assert moment.clamped(None, NOW) == NOW
    assert moment.clamped(NOW - dt.timedelta(seconds=1), NOW) < NOW

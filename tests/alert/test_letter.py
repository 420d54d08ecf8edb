"""The mails to the operator: readable, harmless, and never taken for returned mail."""

from __future__ import annotations

import datetime as dt
import email
import email.policy

import pytest

from bouncemilter import report
from bouncemilter.alert import letter
from bouncemilter.alert.watch import Alert, AlertKind
from bouncemilter.health.findings import HealthFinding
from bouncemilter.health.subject import Subject
from bouncemilter.language import Language
from bouncemilter.model import Kind
from tests.rig import mail

NOON = dt.datetime(2026, 10, 20, 12, tzinfo=dt.UTC)
HOSTILE = (
    "550 5.1.1 <jan@wp.pl>: User unknown; undeliverable, out of office, please unsubscribe me\n"
    "Action: failed\nFinal-Recipient: rfc822; jan@wp.pl\x1b[31m\u202e ąę"
)


def written(kind: AlertKind, language: Language, host: str = "mx.own.test") -> bytes:
    alert = Alert(
        kind, (HealthFinding(Subject.INCIDENTS, well=False, text=HOSTILE), HealthFinding(Subject.DISK, True, "free"))
    )
    subject, body = letter.compose(alert, host, language, ["Suppressions: 3"])
    return letter.message(subject, body, "bounce@own.test", ["root@own.test", "ewa@own.test"], NOON)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", AlertKind)
def test_read_as_mail(kind: AlertKind, language: Language) -> None:
    """Our own reader takes it for a person's mail, whatever it quotes: it can start nothing."""
    assert report.read(written(kind, language)).kind is Kind.MAIL


def test_mark() -> None:
    """It is the mark that does it: a bounce with the mark is mail, which people get; without it, a bounce."""
    bounce = mail.dsn("b@bounces.own.test", "jan@klient.test")
    assert report.read(bounce).kind is Kind.BOUNCE
    assert report.read(b"X-Bouncemilter-Alert: yes\n" + bounce).kind is Kind.MAIL


@pytest.mark.parametrize("text", [False, True])
def test_come_back(text: bool) -> None:
    """What returns it, by a host that bounces to From against RFC 5321 section 4.5.5, is mail, too: whoever gets the
    alerts is nobody's bounce.
    """
    head = written(AlertKind.INCIDENT, Language.PL).replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    if text:
        notice = b"This message could not be delivered:\n\n<root@own.test>: 550 5.1.1 User unknown\n\n"
        start = b"From: MAILER-DAEMON@far.test\nTo: bounce@own.test\nSubject: failure notice\n\n"
        bounce = start + notice + b"--- Below this line is a copy of the message.\n\n" + head + b"\n\nText\n"
    else:
        bounce = mail.dsn("bounce@own.test", "root@own.test")
        start, end = bounce.index(b"From: news@own.test"), bounce.rindex(b"\n\n--far")
        bounce = bounce[:start] + head + bounce[end:]
    assert report.read(bounce.replace(b".bouncemilter-alert@", b".other@")).kind is Kind.BOUNCE
    assert report.read(bounce).kind is Kind.MAIL


@pytest.mark.parametrize("language", Language)
def test_headers(language: Language) -> None:
    """No machine shall answer it (RFC 3834); it has all that a mail must have, and CRLF throughout."""
    raw = written(AlertKind.INCIDENT, language)
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) < 998
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["X-Auto-Response-Suppress"] == "All"
    assert found["To"] == "root@own.test, ewa@own.test"
    assert found["From"].addresses[0].addr_spec == "bounce@own.test"
    assert found["Message-ID"].endswith(".bouncemilter-alert@own.test>")
    assert found["Date"].datetime == NOON
    assert not found.defects


def test_text() -> None:
    """What needs attention is marked, controls are shown as escapes, Polish is Polish."""
    found = email.message_from_bytes(written(AlertKind.INCIDENT, Language.PL), policy=email.policy.default)
    body = found.get_content()
    assert found["Subject"] == "[bouncemilter mx.own.test] naraz zawodzą żywe adresy"
    assert "! incydenty: 550 5.1.1" in body
    assert "\n  dysk: free" in body
    assert "\\x1b[31m\\u202e ąę" in body
    assert "bouncemilter incident undo NUMER" in body


def test_one_line_each() -> None:
    """A server's words can't pass for a line of ours, nor fill the mail."""
    said = "550 no\n! disk: 0 GiB free\r\n-- \n" + "ą" * 100_000
    (line,) = letter.lines([HealthFinding(Subject.INCIDENTS, well=False, text=said)], Language.EN)
    assert "\n" not in line
    assert len(line) < 700
    assert line.startswith("! incidents: 550 no\\x0a! disk: 0 GiB free\\x0d\\x0a-- \\x0aąą")


def test_seven_bits() -> None:
    """Whatever it says, no line is longer than 76 characters, and no server needs 8BITMIME for it."""
    alert = Alert(AlertKind.INCIDENT, (HealthFinding(Subject.INCIDENTS, well=False, text="ąę " * 150),))
    subject, body = letter.compose(alert, "mx." + "długa-nazwa." * 20 + "test", Language.PL)
    raw = letter.message(subject, body, "bouncemilter@own.test", ["root@own.test"] * 30, NOON)
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 76


def test_host_in_the_subject() -> None:
    """A host's name can't put a header into it."""
    raw = written(AlertKind.DISK_LOW, Language.EN, host="mx\r\nBcc: evil@evil.test")
    assert email.message_from_bytes(raw)["Bcc"] is None

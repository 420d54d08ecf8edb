"""Codes and phases in running text."""

import pytest

from bouncemilter.model import Phase
from bouncemilter.report import reply


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        ("550 5.1.1 User unknown", "550", "5.1.1"),
        ("550-5.1.1 The email account", "550", "5.1.1"),
        ("host mx.example.pl[192.0.2.5] said: 452 4.2.2 full", "452", "4.2.2"),
        ("#5.1.1 smtp;550 No such user", "550", "5.1.1"),
        ("connect to 192.0.2.5: Connection refused", "", ""),
        ("delivered on 2025-01-06 10:45:50, size 512345", "", ""),
        ("version 5.0.0.1 of the software", "", ""),
        ("", "", ""),
    ],
)
def test_codes(words: str, code: str, status: str) -> None:
    """Reply and status codes are found, addresses, dates and versions are none."""
    assert (reply.code(words), reply.status(words)) == (code, status)


@pytest.mark.parametrize(
    ("words", "phase"),
    [
        ("550 no (in reply to RCPT TO command)", Phase.RCPT),
        ("550 no (in reply to MAIL FROM command)", Phase.MAIL),
        ("550 no (in reply to end of DATA command)", Phase.DATA),
        ("554 no (in reply to EHLO command)", Phase.EHLO),
        ("SMTP error from remote mail server after RCPT TO:<a@example.pl>:", Phase.RCPT),
        ("SMTP error from remote mail server after pipelined MAIL FROM:<a@example.pl>:", Phase.MAIL),
        ("SMTP error from remote mail server after end of data:", Phase.DATA),
        ("SMTP error from remote mail server after initial connection:", Phase.CONNECT),
        (">>> RCPT To:<a@example.pl>\n<<< 550 no", Phase.RCPT),
        ("550 5.1.1 mail to this user is refused", Phase.UNKNOWN),
        ("", Phase.UNKNOWN),
    ],
)
def test_phase(words: str, phase: Phase) -> None:
    """What Postfix, Exim and Sendmail say of the command that was refused is understood."""
    assert reply.phase(words) is phase

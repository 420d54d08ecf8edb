"""Reports in an envelope of their own system's making: a gateway that attaches what it passes on, a daemon that quotes
the report it got. The report inside counts only where the mail around it names nobody.

From: postmaster@example.com                          From: MAILER-DAEMON@example.com
Content-Type: multipart/mixed                         (words that name nobody)
                                                      ---------------------------------
  Content-Type: message/rfc822                        From: MAILER-DAEMON@mx.example.com
  From: postmaster@example.com                        Content-Type: multipart/report
  Content-Type: multipart/report
"""

from __future__ import annotations

from bouncemilter.model import Report
from bouncemilter.report import dsn
from bouncemilter.report.header import Headers
from bouncemilter.report.message import Message


def read(message: Message) -> Report | None:
    """The report that a mail attaches, beside words about it at most, under the report's own From, To and Subject.

    A person who forwards a report has a name of his own in From.
    """
    if message.content_type == b"multipart/report" or len(message.parts) > 2:
        return None
    part = next((each for each in message.parts if each.is_message), None)
    if part is None:
        return None
    headers = part.message_headers()
    if not _is_report(headers) or not message.sender or headers.address(b"from") != message.sender:
        return None
    if headers.address(b"to") != message.headers.address(b"to") or headers.text(b"subject") != message.subject:
        return None
    return _inner(message, part.content())


def in_text(message: Message) -> Report | None:
    """The report that a daemon quotes below words that name nobody."""
    below = message.returned_text
    if not message.from_daemon or not below:
        return None
    headers = message.returned_below
    return _inner(message, below.encode("utf-8", "replace")) if headers and _is_report(headers) else None


def _is_report(headers: Headers) -> bool:
    return headers.token(b"content-type") == b"multipart/report"


def _inner(message: Message, raw: bytes) -> Report | None:
    inner = Message(raw, deadline=message.deadline)
    found = dsn.read(inner)
    message.defects |= inner.defects
    return found if found and found.recipients else None

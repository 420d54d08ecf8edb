"""Complaints of feedback loops: RFC 5965, and Microsoft's and others' that send the mail back without a report part.

Feedback-Type: abuse
User-Agent: ExampleFBL/1.0
Original-Rcpt-To: <user@example.com>
"""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from bouncemilter import limits, text
from bouncemilter.model import Defect, Kind, Report, ReportedRecipient, Returned
from bouncemilter.report import recipient
from bouncemilter.report.header import Headers, mailbox
from bouncemilter.report.message import Message
from bouncemilter.report.mime import normalise

_REPORTS: Final = (b"not-spam", b"auth-failure", b"auth_failure", b"dmarc", b"virus-report")
"""Feedback types that complain about nothing (RFC 5965 section 7.3, RFC 6591)."""

_SUBJECT: Final = re.compile(
    r"(?i)\Acomplaint about message from|\b(?:spam|abuse|e-?mail) (?:complaint|feedback report)|"
    r"\bfeedback loop report|\Afbl[: -]|\bskarga na (?:niezam|spam)|\bspam-?beschwerde|\bplainte pour spam"
)
_SENDER: Final = re.compile(
    r"(?i)\A(?:staff|fbl|feedback(?:loop)?|complaints?|scomp|abuse|arf|spam-?report|no-?reply)\b"
)
_SPELLED: Final = re.compile(r"\A[a-z]{1,20}[-+]([\w.-]{1,64})=([\w-]+(?:\.[\w-]+)+)@")
_TOLD: Final = (b"x-hmxmroriginalrecipient", b"x-original-to", b"delivered-to", b"x-rcpt-to", b"envelope-to")


def read(message: Message) -> Report | None:
    """A complaint, or a `report` where the feedback is no complaint."""
    part = message.part(b"message/feedback-report")
    if part is not None:
        return _feedback(message, Headers(normalise(part.content()).lstrip(b"\n"), message.defects))
    if message.content_type != b"multipart/report" and _by_form(message):
        headers = message.returned_part or message.returned_below
        if headers is not None:
            return _complaint(message, _first(headers, _TOLD), headers, message.returned, "complaint")
    return None


def _by_form(message: Message) -> bool:
    """Whether it looks like the reports of Microsoft's programme, or of another machine; abuse desks are people."""
    if not _SENDER.match(message.sender) or not _SUBJECT.search(message.subject):
        return False
    known = message.subject.startswith("complaint about message from") and message.sender.startswith("staff@")
    return known or message.null_sender or bool(message.auto_submitted)


def _feedback(message: Message, fields: Headers) -> Report:
    headers = message.returned_part or message.returned_below
    back = _sent_from(message.returned, fields.address(b"original-mail-from"))
    if fields.token(b"feedback-type") in _REPORTS:
        return Report(kind=Kind.REPORT, format="arf", returned=back)
    named = [found for value in fields.all(b"original-rcpt-to") if (found := mailbox(text.decode(value)))]
    if not named:
        named = _first(fields, (b"removal-recipient",))
    return _complaint(message, named, headers, back, "arf")


def _sent_from(back: Returned | None, return_path: str) -> Returned | None:
    """The returned message, with the return path of Original-Mail-From (RFC 5965 section 3.2) where it shows none."""
    if not return_path or (back and back.return_path):
        return back
    return dataclasses.replace(back or Returned(), return_path=return_path)


def _known(named: list[str]) -> list[ReportedRecipient]:
    return [ReportedRecipient(address=each) for each in named if each and not each.lower().startswith("redacted")]


def _verp(return_path: str) -> str:
    """The recipient that a return path spells out: `b-user=example.com@example.pl`."""
    match = _SPELLED.search(return_path)
    return f"{match[1]}@{match[2]}" if match else ""


def _first(headers: Headers, names: tuple[bytes, ...]) -> list[str]:
    return next(([found] for name in names if (found := headers.address(name))), [])


def _complaint(message: Message, named: list[str], headers: Headers | None, back: Returned | None, form: str) -> Report:
    """A complaint by those named, else by whom the returned message was written to."""
    known = _known(named)
    if not known and headers is not None and back is not None:
        known = _known(_first(headers, _TOLD[:1]) or [back.to]) or _known([_verp(back.return_path)])
    recipients = recipient.capped(known[: limits.RECIPIENTS + 1], message.defects)
    if not recipients:
        message.defects.add(Defect.NO_RECIPIENT)
    sure = message.made_by_machine or bool(message.auto_submitted) or (headers is not None and _TOLD[0] in headers)
    return Report(kind=Kind.COMPLAINT, recipients=recipients, format=form, returned=back, known_by_words=not sure)

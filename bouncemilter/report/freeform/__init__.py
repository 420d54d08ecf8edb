"""The free-form bounces of the world's MTAs, one small file each, specific before generic.

A reader gets the message and the words of its notice (what stands above the returned message) and gives the
recipients it found, with their diagnostics; an empty list where the format is another's. What all of them share is
asked once, here: that a mail system wrote the message, and whether it failed or is late.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from importlib import import_module
from typing import Final

from bouncemilter import limits
from bouncemilter.model import Action, Defect, Kind, Report, ReportedRecipient
from bouncemilter.report import diagnostic, notice, recipient, reply, returned, wrapped
from bouncemilter.report.freeform import exchange, exim, generic, googlegroups, postfix, qmail, sendmail
from bouncemilter.report.freeform.shape import Shape
from bouncemilter.report.message import Message

_SHAPES: Final = (
    "aol apachejames biglobe communigate courier domino dragonfly einsundeins gmail groupwise hmailserver "
    "icewarp imail interscan kddi kerio mailenable mailfoundry mailmarshal mcafee mdaemon messagelabs "
    "messagingserver mfilter netscape notes opensmtpd powermta smartermail surfcontrol verizon "
    "delivery_errors technical_details counted_errors zoho"
).split()
SHAPES: Final[tuple[Shape, ...]] = tuple(import_module(f"{__name__}.{name}").FORMAT for name in _SHAPES)
"""The formats that differ in their words only; each is known by a phrase of its own."""
_MARKED: Final = tuple((mark, shape) for shape in SHAPES for mark in shape.marks)

Reader = Callable[[Message, str], list[ReportedRecipient]]

READERS: Final[tuple[tuple[str, Reader], ...]] = (
    ("googlegroups", googlegroups.read),
    ("exim", exim.read),
    ("qmail", qmail.read),
    ("postfix", postfix.read),
    ("sendmail", sendmail.read),
    ("exchange", exchange.read),
    ("generic", generic.read),
)


PERMANENT: Final = "5.0.0"
"""What `permanent` in a notice says where no code does (RFC 3463)."""


def read(message: Message) -> Report | None:
    """A report in free form, or None where no mail system wrote this or nothing failed."""
    if not notice.is_notice(message):
        return None
    words = message.notice_text[: recipient.NOTICE]
    said = notice.action(notice.fold(message.subject + " " + words))
    name, found = _recipients(message, words)
    if not found:
        inner = wrapped.in_text(message)
        if inner is not None:
            return inner
    if not found and message.content_type != b"multipart/report" and not notice.says(notice.STATED, notice.fold(words)):
        return None
    if not found:
        message.defects.add(Defect.NO_RECIPIENT)
        found = [ReportedRecipient(address="")]  # the envelope may know whom the reason is about
    errors = diagnostic.Errors(message)
    severity = PERMANENT if "permanent" in words.lower() else ""
    actions = [
        dataclasses.replace(
            each,
            action=each.action or said,
            diagnostic=each.diagnostic or ("" if message.is_late() else errors.about(each.address)),
            status=each.status or ("" if reply.status(each.diagnostic) or said is not Action.FAILED else severity),
        )
        for each in found[: limits.RECIPIENTS + 1]
    ]
    recipients = recipient.capped([recipient.finish(each, message.defects) for each in actions], message.defects)
    failed = any(each.action is Action.FAILED for each in recipients)
    return Report(
        kind=Kind.BOUNCE if failed else Kind.DELAYED,
        recipients=recipients,
        format=f"freeform.{name}",
        returned=returned.of(message),
        known_by_words=not message.made_by_machine,
    )


def _recipients(message: Message, words: str) -> tuple[str, list[ReportedRecipient]]:
    """The name of the format and its recipients; the generic reader's where nobody is named."""
    lower = words.lower()
    for mark, shape in _MARKED:
        if mark in lower and (found := shape.read(message, words)):
            return shape.name, found
    for name, reader in READERS:
        if message.is_late():
            break
        found = reader(message, words)
        if found:
            return name, found
    return READERS[-1][0], []

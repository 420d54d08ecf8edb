"""The free-form bounces of the world's MTAs, one small file each, specific before generic.

A reader gets the message and the words of its notice (what stands above the returned message) and gives the
recipients it found, with their diagnostics; an empty list where the format is another's. What all of them share is
asked once, here: that a mail system wrote the message, and whether it failed or is late.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from bouncemilter import limits, text
from bouncemilter.model import Action, Defect, Report, ReportedRecipient
from bouncemilter.report import diagnostic, dsn, notice, recipient, reply, wrapped
from bouncemilter.report.automaton import Phrases
from bouncemilter.report.freeform import exchange, exim, generic, googlegroups, postfix, qmail, sendmail
from bouncemilter.report.freeform.shape import Shape
from bouncemilter.report.message import Message
from bouncemilter.report.spelling import fold

_SHAPES: Final = (
    "microsoft365 aol apachejames biglobe communigate courier domino dragonfly einsundeins gmail gmx groupwise "
    "hmailserver icewarp imail interscan kddi kerio mailenable mailfoundry mailmarshal mcafee mdaemon messagelabs "
    "messagingserver mfilter netscape notes opensmtpd powermta smartermail surfcontrol verizon "
    "delivery_errors technical_details counted_errors ses zmailer zoho"
).split()
SHAPES: Final[tuple[Shape, ...]] = tuple(import_module(f"{__name__}.{name}").FORMAT for name in _SHAPES)
"""The formats that differ in their words only; each is known by a phrase of its own."""
_MARKED: Final = tuple(shape for shape in SHAPES for _ in shape.marks)
_MARKS: Final = Phrases(mark for shape in SHAPES for mark in shape.marks)
"""Their marks; at the same place of _MARKED stands whose each is."""

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
    said = notice.action(fold(message.subject + " " + words))
    name, found = _recipients(message, words)
    if not found:
        inner = wrapped.in_text(message)
        if inner is not None:
            return inner
    if not found and (not _is_certain(message, words) or generic.is_about_its_reader(message, words)):
        return None
    if not found:
        message.defects.add(Defect.NO_RECIPIENT)
        found = [ReportedRecipient(address="")]  # the envelope may know whom the reason is about
    errors = diagnostic.Errors(message)
    severity = PERMANENT if "permanent" in words.lower() else ""
    finished = [
        recipient.finish(
            each,
            message.defects,
            action=each.action or said,
            diagnostic=each.diagnostic or ("" if _is_silent(message, each) else errors.about(each.address)),
            status=each.status or ("" if said is not Action.FAILED or reply.status(each.diagnostic) else severity),
        )
        for each in found[: limits.RECIPIENTS + 1]
    ]
    recipients = recipient.capped(finished, message.defects)
    return Report(
        kind=dsn.kind([each.action for each in recipients]),
        recipients=recipients,
        format=f"freeform.{name}",
        returned=message.returned,
        excerpt="" if any(each.address for each in recipients) else text.clean(words, limits.EXCERPT),
        known_by_words=not message.made_by_machine,
    )


def _is_silent(message: Message, each: ReportedRecipient) -> bool:
    """Whether no error is sought for a recipient: the mail has reached him, or the time is over."""
    return each.action is Action.DELIVERED or message.is_late()


def _is_certain(message: Message, words: str) -> bool:
    """Whether a notice that names nobody is a report all the same: by its type, author and subject, or words."""
    if message.content_type == b"multipart/report":
        return True
    if message.made_by_machine and notice.is_report_subject(message.subject):
        return True
    return notice.is_by_machine(message) and notice.says(notice.STATED, fold(words))


def _recipients(message: Message, words: str) -> tuple[str, list[ReportedRecipient]]:
    """The name of the format and its recipients; the generic reader's where nobody is named."""
    for place in _MARKS.found(words.lower()):
        if found := _MARKED[place].read(message, words):
            return _MARKED[place].name, found
    for name, reader in READERS:
        if message.is_late():
            break
        found = reader(message, words)
        if found:
            return name, found
    return READERS[-1][0], []

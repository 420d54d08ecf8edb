"""The free-form bounces of the world's MTAs, one small file each, specific before generic.

A reader gets the message and the words of its notice (what stands above the returned message) and gives the
recipients it found, with their diagnostics; an empty list where the format is another's. What all of them share is
asked once, here: that a mail system wrote the message, and whether it failed or is late.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Final

from bouncemilter import limits
from bouncemilter.model import Action, Defect, Kind, Report, ReportedRecipient
from bouncemilter.report import diagnostic, notice, recipient, returned
from bouncemilter.report.freeform import exchange, exim, generic, postfix, qmail, sendmail
from bouncemilter.report.message import Message

Reader = Callable[[Message, str], list[ReportedRecipient]]

READERS: Final[tuple[tuple[str, Reader], ...]] = (
    ("exim", exim.read),
    ("qmail", qmail.read),
    ("postfix", postfix.read),
    ("sendmail", sendmail.read),
    ("exchange", exchange.read),
    ("generic", generic.read),
)


def read(message: Message) -> Report | None:
    """A report in free form, or None where no mail system wrote this or nothing failed."""
    if not notice.is_notice(message):
        return None
    words = message.notice_text[: recipient.NOTICE]
    said = notice.action(notice.fold(message.subject + " " + words))
    name, found = next(
        ((name, found) for name, reader in READERS if (found := reader(message, words))), (READERS[-1][0], [])
    )
    if not found and message.content_type != b"multipart/report" and not notice.says(notice.STATED, notice.fold(words)):
        return None
    errors = diagnostic.Errors(message)
    actions = [
        dataclasses.replace(each, action=each.action or said, diagnostic=each.diagnostic or errors.about(each.address))
        for each in found[: limits.RECIPIENTS + 1]
    ]
    recipients = recipient.capped([recipient.finish(each, message.defects) for each in actions], message.defects)
    if not recipients:
        message.defects.add(Defect.NO_RECIPIENT)
    failed = any(each.action is Action.FAILED for each in recipients) or (not recipients and said is Action.FAILED)
    return Report(
        kind=Kind.BOUNCE if failed else Kind.DELAYED,
        recipients=recipients,
        format=f"freeform.{name}",
        returned=returned.of(message),
    )

"""The header of a message that Outlook keeps without one."""

from __future__ import annotations

import email.utils

from bouncemilter.outlook import parts
from bouncemilter.outlook.properties import Properties, Tag


def made(found: Properties) -> str:
    """A header for a message that never had one: a draft, or mail within one Exchange server."""
    name, sender = found.line(Tag.SENDER_NAME), found.line(Tag.SENDER_SMTP, Tag.SENDER_EMAIL)
    when = found.time(Tag.CLIENT_SUBMIT_TIME) or found.time(Tag.DELIVERY_TIME) or found.time(Tag.REPORT_TIME)
    return "".join(
        (
            parts.field("From", _mailbox(name, sender)),
            parts.field("To", found.line(Tag.RECEIVED_BY_SMTP, Tag.RECEIVED_BY_EMAIL)),
            parts.field("Subject", found.line(Tag.SUBJECT)),
            parts.field("Date", email.utils.format_datetime(when) if when else ""),
            parts.field("Message-ID", found.line(Tag.MESSAGE_ID)),
        )
    )


def _mailbox(name: str, sender: str) -> str:
    """A From field's value; senders within Exchange have no address, those of SMTPUTF8 one that is not ASCII."""
    if "@" not in sender:
        return name
    return email.utils.formataddr((name, sender)) if sender.isascii() else f"<{sender}>"

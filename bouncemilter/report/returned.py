"""The headers of the returned message: from its own part, or from what follows in the text."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter import limits
from bouncemilter.model import Returned
from bouncemilter.report.header import Headers
from bouncemilter.report.message import Message, whole_message_id

_CAMPAIGN: Final = (b"x-campaign-id", b"feedback-id", b"x-campaign", b"x-campaignid", b"x-mailer-campaign")
_LIST_ID: Final = re.compile(r"<([^<>]+)>")


def part_headers(message: Message) -> Headers | None:
    """The headers of the returned message where it is a part of its own."""
    for part in message.parts:
        if part.is_message or part.is_headers:
            return part.message_headers()
    return None


def text_headers(message: Message) -> Headers | None:
    """The headers of the returned message where they stand in the text of a free-form report."""
    below = message.returned_text
    if not below:
        return None
    end = below.find("\n\n")
    return Headers((below[:end] if end >= 0 else below).encode("utf-8", "replace"), message.defects)


def read(headers: Headers | None) -> Returned | None:
    """What matters of the returned message; None where nothing came back."""
    if headers is None:
        return None
    list_id = headers.text(b"list-id")
    named = _LIST_ID.search(list_id) if list_id else None
    return Returned(
        message_id=whole_message_id(headers.text(b"message-id", limits.MESSAGE_ID)),
        sender=headers.address(b"from"),
        to=headers.address(b"to"),
        subject=headers.text(b"subject"),
        list_id=(named[1] if named else list_id).strip(),
        campaign=_campaign(headers),
        return_path=headers.address(b"return-path"),
        signed_headers=headers.block if b"dkim-signature" in headers else b"",
    )


def _campaign(headers: Headers) -> str:
    for name in _CAMPAIGN:
        if name in headers and (value := headers.text(name)):
            return value
    return ""


def of(message: Message) -> Returned | None:
    """The returned message of any report: its part, else what follows in the text."""
    return read(part_headers(message) or text_headers(message))

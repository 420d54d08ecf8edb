"""What the headers of a returned message say."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter import limits, text
from bouncemilter.model import Returned
from bouncemilter.report.header import Headers

_CAMPAIGN: Final = (b"x-campaign-id", b"feedback-id", b"x-campaign", b"x-campaignid", b"x-mailer-campaign")
_LIST_ID: Final = re.compile(r"<([^<>]+)>")


def read(headers: Headers) -> Returned:
    """What matters of a returned message."""
    list_id = headers.text(b"list-id")
    named = _LIST_ID.search(list_id) if list_id else None
    return Returned(
        message_id=text.whole_message_id(headers.text(b"message-id", limits.MESSAGE_ID)),
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

"""qmail and those that speak its Simple Bounce Message Format (QSBMF), in any language of the introduction: Yahoo, and
many providers of the Americas and of Asia.

Hi. This is the qmail-send program at example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.

<user@example.com>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 No such user

--- Below this line is a copy of the message.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from bouncemilter import limits
from bouncemilter.model import ReportedRecipient
from bouncemilter.report.message import Message

_RECIPIENT: Final = re.compile(
    r"^[ \t]{0,3}<([^<>\n]{1,320}@[^<>\n]{1,255})>:[ \t]*\n((?:(?![ \t]{0,3}<[^<>\n]{1,320}>:)[^\n]*\S[^\n]*\n?)+)",
    re.MULTILINE,
)
_HOST: Final = re.compile(
    r"^(?:Connected to )?(\d{1,3}(?:\.\d{1,3}){3}|[\w.-]{1,255}) (?:does not like|failed after|but )"
)


def read(_message: Message, words: str) -> list[ReportedRecipient]:
    """An address in angle brackets and a colon alone on a line, the error in the lines below."""
    found = []
    for match in islice(_RECIPIENT.finditer(words), limits.RECIPIENTS + 1):
        host = _HOST.match(match[2])
        diagnostic = " ".join(match[2].split())
        found.append(ReportedRecipient(address=match[1], diagnostic=diagnostic, remote_host=host[1] if host else ""))
    return found

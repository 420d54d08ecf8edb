"""Postfix without its delivery-status part: old versions, and reports that were cut or repacked; also those who speak
in its words, in any language around them: Zimbra, Yandex, and most Polish providers.

<user@example.com>: host mx.example.com[192.0.2.1] said: 550 5.1.1
<user@example.com>: Recipient address rejected: User unknown (in reply to
RCPT TO command)
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from bouncemilter import limits
from bouncemilter.model import ReportedRecipient
from bouncemilter.report.message import Message

_RECIPIENT: Final = re.compile(
    r"^[ \t]{0,3}<([^<>\n]{1,320}@[^<>\n]{1,255})>"
    r"(?: \(expanded from[ \n]+<([^<>\n]{1,320})>\))?:[ \t]+"
    r"(\S[^\n]*(?:\n(?![ \t]{0,3}<(?!\1>)[^<>\s]{1,320}>:)[^\n]*\S[^\n]*)*)",
    re.MULTILINE,
)


def read(_message: Message, words: str) -> list[ReportedRecipient]:
    """An address in angle brackets, a colon, and its error on the same line."""
    found = islice(_RECIPIENT.finditer(words), limits.RECIPIENTS + 1)
    return [
        ReportedRecipient(address=match[2] or match[1], final_address=match[1], diagnostic=_line(match[3]))
        for match in found
    ]


def _line(words: str) -> str:
    return " ".join(words.split())

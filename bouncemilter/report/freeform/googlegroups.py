"""Google Groups, in any language: no code, and the group's name in parentheses.

We're writing to let you know that the group you tried to contact (group) may not exist, or you may not have
permission to post messages to the group.
"""

from __future__ import annotations

from typing import Final

from bouncemilter.model import ReportedRecipient
from bouncemilter.report import recipient
from bouncemilter.report.message import Message

_MARKS: Final = ("groups.google.com/", "google groups")
STATUS: Final = "5.7.1"
"""What Google's servers put before these very words when they refuse within the session."""


def read(message: Message, words: str) -> list[ReportedRecipient]:
    """The group that X-Failed-Recipients names, with the paragraph that names it too."""
    lower = words.lower()
    if not any(mark in lower for mark in _MARKS):
        return []
    found = []
    for named in recipient.failed_header(message):
        group = f"({named.partition('@')[0].lower()})"
        told = next((each for each in words.split("\n\n") if group in each.lower()), "")
        if told:
            found.append(ReportedRecipient(address=named, status=STATUS, diagnostic=" ".join(told.split())))
    return found

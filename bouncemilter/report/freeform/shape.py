"""One engine for the many formats that differ in their words only: an address, and its error beside it or elsewhere.

A format is data: the phrases by which it is known, where its recipients stand, and where the error stands that they
share. The files beside this one hold one format each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Final

from bouncemilter import limits
from bouncemilter.model import Phase, ReportedRecipient
from bouncemilter.report import recipient, reply
from bouncemilter.report.message import Message

ADDRESS: Final = (
    r"[<\[\"']{0,2}(?:smtp:)?(?P<address>[^\s<>\[\]\"'()@:;,]{1,64}@[^\s<>\[\]\"'()@:;,]{1,255})[>\]\"']{0,2}"
)
"""An address, in brackets or quotes or none."""
PARAGRAPH: Final = r"(?P<error>\S[^\n]*(?:\n[^\n]*\S[^\n]*){0,11})"
"""An error up to the next blank line."""
INDENTED: Final = r"(?P<error>\S[^\n]*(?:\n[ \t]+\S[^\n]*){0,11})"
"""An error that goes on in indented lines."""
LIST: Final = r"(?P<list>(?:[^\n]*\S[^\n]*(?:\n|\Z)){1,200})"
"""The lines up to the next blank one."""
ALONE: Final = rf"^[ \t*]{{0,12}}{ADDRESS}[ \t]*$"
"""An address that has a line for itself."""
LABELLED: Final = (
    rf"^[ \t]*(?:Failed )?Recipient:[ \t]*{ADDRESS}[ \t]*\n[ \t]*Reason:[ \t]*"
    r"(?P<error>\S[^\n]*(?:\n(?![ \t]*[\w -]{1,30}:)[ \t]*\S[^\n]*){0,11})"
)
"""`Recipient:` above `Reason:`."""


def compiled(*patterns: str) -> tuple[re.Pattern[str], ...]:
    """Patterns by line, in any case."""
    return tuple(re.compile(each, re.MULTILINE | re.IGNORECASE) for each in patterns)


@dataclass(frozen=True, slots=True)
class Shape:
    """A format. Groups of its patterns: `address`, `error`, `command`, `host`, `final`, `list`."""

    name: str
    marks: tuple[str, ...]
    """Phrases in lower case, one of which its notices contain."""
    entries: tuple[re.Pattern[str], ...]
    """Where a recipient stands; the first pattern that finds any is the format's."""
    within: tuple[re.Pattern[str], ...] = ()
    """Where the list of recipients stands (group `list`); everywhere where empty."""
    shared: tuple[re.Pattern[str], ...] = ()
    """Where the error stands that all recipients share; the first that matches."""

    def read(self, message: Message, words: str) -> list[ReportedRecipient]:
        """The recipients in a notice that has one of its marks; empty where the format is another's."""
        region = _first(self.within, words)
        if self.within and region is None:
            return []
        listed = region["list"] if region else words
        everybody = _first(self.shared, words)
        for entry in self.entries:
            matches = islice(entry.finditer(listed), limits.RECIPIENTS + 1)
            found = [each for match in matches if (each := self._recipient(message, match, everybody)) is not None]
            if found:
                return found
        return []

    def _recipient(
        self, message: Message, match: re.Match[str], everybody: re.Match[str] | None
    ) -> ReportedRecipient | None:
        own = match.groupdict()
        shared = everybody.groupdict() if everybody else {}
        final = own.get("final") or ""
        named = recipient.completed(own.get("address") or final, message)
        error, command = dialogue(own.get("error") or shared.get("error") or "")
        command = own.get("command") or shared.get("command") or command
        if not named:
            return None
        return ReportedRecipient(
            address=named,
            final_address=final,
            phase=reply.phase_of(command) if command else Phase.UNKNOWN,
            diagnostic=error,
            remote_host=own.get("host") or shared.get("host") or "",
        )


def _first(patterns: tuple[re.Pattern[str], ...], words: str) -> re.Match[str] | None:
    return next((found for each in patterns if (found := each.search(words))), None)


def dialogue(error: str) -> tuple[str, str]:
    """An error on one line and the command that it answers; of a transcript (`>>>`, `<<<`) its last answers."""
    lines = [line.strip() for line in error.split("\n")]
    answers = [line.removeprefix("<<<").strip() for line in lines if line.startswith("<<<")]
    if not answers:
        return " ".join(" ".join(lines).split()), ""
    command = next((line.removeprefix(">>>").strip() for line in reversed(lines) if line.startswith(">>>")), "")
    return " ".join(answers), command

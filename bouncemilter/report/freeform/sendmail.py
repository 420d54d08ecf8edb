"""Sendmail, old and new, without its delivery-status part.

----- The following addresses had permanent fatal errors -----
<user@example.com>
(reason: 550 5.1.1 <user@example.com>... User unknown)

----- Transcript of session follows -----
... while talking to mx.example.com.:
>>> RCPT To:<user@example.com>
<<< 550 5.1.1 <user@example.com>... User unknown
550 5.1.1 <user@example.com>... User unknown
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from bouncemilter import limits
from bouncemilter.model import Action, Phase, ReportedRecipient
from bouncemilter.report import recipient, reply
from bouncemilter.report.message import Message

_LIST: Final = re.compile(
    r"^[ \t]*-{3,} ?The following addresse?s? had ([^\n]{1,60}?) ?-{3,}[ \t]*\n((?:[^\n-][^\n]*\n|\n(?!\n*[ \t]*-))*)",
    re.MULTILINE | re.IGNORECASE,
)
_TRANSCRIPT: Final = re.compile(
    r"^[ \t]*-{3,} ?Transcript of session follows ?-{3,}[ \t]*\n", re.MULTILINE | re.IGNORECASE
)
_REASON: Final = re.compile(r"\(reason: ([^\n]{1,1000})\)?")
_EXPANDED: Final = re.compile(r"\(expanded from: <?([^\s<>()]{1,320})>?\)")
_TALKING: Final = re.compile(r"while talking to ([\w.-]{1,255}?)\.?:?(?:\s|$)")
_REFUSED: Final = re.compile(
    r"^(?:<<< )?([45]\d\d[ -][^\n]{0,40}?<?([^\s<>@]{1,64}@[^\s<>:]{1,255}?)>?(?:\.\.\.|:)[^\n]*)", re.MULTILINE
)


def read(_message: Message, words: str) -> list[ReportedRecipient]:
    """The addresses of its lists, else of its transcript, each with what the transcript says of it."""
    transcript = _TRANSCRIPT.search(words)
    lists = list(islice(_LIST.finditer(words), limits.RECIPIENTS + 1))
    if not transcript and not lists:
        return []
    said = words[transcript.end() :] if transcript else ""
    found = [each for match in lists for each in _listed(match, said)]
    if found:
        return found
    host = _host(said)
    return [
        ReportedRecipient(address=match[2], diagnostic=match[1], phase=_phase(said, match[1], said), remote_host=host)
        for match in islice(_REFUSED.finditer(said), limits.RECIPIENTS + 1)
    ]


def _listed(match: re.Match[str], said: str) -> list[ReportedRecipient]:
    kind = match[1].lower()
    action = (
        Action.DELAYED
        if "transient" in kind or "non-fatal" in kind
        else Action.DELIVERED
        if "success" in kind
        else Action.FAILED
        if "permanent" in kind
        else None
    )
    found = []
    for entry in re.split(r"\n(?=[^ \t\n])", "\n" + match[2], maxsplit=limits.RECIPIENTS + 1):
        expanded = _EXPANDED.search(entry)
        named = [expanded[1]] if expanded and "@" in expanded[1] else recipient.addresses(entry, 1)
        if not named:
            continue
        reason = _REASON.search(entry)
        if action is Action.DELIVERED:
            found.append(ReportedRecipient(address=named[0], action=action))
            continue
        words = _about(said, recipient.addresses(entry, 1)[:1] or named)
        diagnostic = reason[1].removesuffix(")") if reason else words
        found.append(
            ReportedRecipient(
                address=named[0],
                action=action,
                diagnostic=diagnostic if not recipient.is_poor(diagnostic) else words or diagnostic,
                phase=_phase(said, diagnostic, words or said),
                remote_host=_host(said),
            )
        )
    return found


def _phase(transcript: str, diagnostic: str, words: str) -> Phase:
    """What the error answered by the transcript, else by its words."""
    answered = reply.phase_in_transcript(transcript, diagnostic)
    return answered if answered is not Phase.UNKNOWN else reply.phase(words)


def _about(said: str, named: list[str]) -> str:
    """What the transcript says of an address: its lines with a code, from the first that names it."""
    lines = [line.strip() for line in said.split("\n") if reply.code(line) or line.startswith((">>>", "<<<"))]
    first = next((index for index, line in enumerate(lines) if named and named[0].lower() in line.lower()), 0)
    answers = [line.removeprefix("<<< ") for line in lines[first : first + 6] if not line.startswith(">>>")]
    command = next((line for line in reversed(lines[: first + 1]) if line.startswith(">>>")), "")
    return " ".join([*answers[:2], f"({command})"] if command else answers[:3])


def _host(said: str) -> str:
    match = _TALKING.search(said)
    return match[1] if match else ""

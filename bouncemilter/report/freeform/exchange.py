"""Microsoft Exchange, from 5.5 to 365, without its delivery-status part, in any language.

Your message                                            Diagnostic information for administrators:
To:      user@example.com                             Generating server: mx.example.com
Subject: hello
did not reach the following recipient(s):               user@example.com
user@example.com on Mon, 4 Jan 2021 10:00:00            #550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##
The recipient name is not recognized
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from bouncemilter import limits
from bouncemilter.model import ReportedRecipient
from bouncemilter.report import recipient
from bouncemilter.report.message import Message

_MARKS: Final = (
    "did not reach", "diagnost", "resolver.", "remote server returned", "generating server", "generierender server",
    "serwer generuj", "serveur de g", "servidor de g", "server di g", "#<", "##", "#5.", "#4.", "msexch",
    "recipients or groups", "nicht erreicht", "adresatów lub grup",
)  # fmt: skip
_REACHED: Final = re.compile(
    r"(?:did not reach|could not be delivered to|hat (?:folgende|die folgenden) Empf[aä]nger nicht erreicht|"
    r"n'a pas [eé]t[eé] remis|no ha llegado|nie dotar[lł]a? do|"
    r"nie zosta[lł]a dostarczona do)[^\n]{0,80}?(?:recipient|Empf[aä]nger|destinat|adresat|odbiorc)[^\n]*+\n",
    re.IGNORECASE,
)
_DIAGNOSED: Final = re.compile(
    r"^[ \t]*<?([^\s<>@]{1,64}@[^\s<>:]{1,255})>?[ \t]*\n+[ \t]*"
    r"((?:[^\n]{0,200}?[ '\"<(])?#?<?[^\n]{0,80}?#?[45]\d\d[ -]#?[^\n]*(?:\n[^\n]*\S[^\n]*){0,8})",
    re.MULTILINE,
)
_ENTRY: Final = re.compile(
    r"^[ \t]*(?:[^\n@]{0,300}\bSMTP=)?<?([^\s<>@;=]{1,64}@[^\s<>:,;]{1,255})>?[^\n]{0,100}\n"
    r"((?:[ \t]+\S[^\n]*\n?|[^\s@][^\n@]*\n?|\n(?=[ \t]))*)",
    re.MULTILINE,
)
"""An address, or an X.400 one with its Internet form, and what is told below it."""


def read(_message: Message, words: str) -> list[ReportedRecipient]:
    """The administrators' part: an address, then a line with a code; else the list under `did not reach`."""
    lower = words.lower()
    if not any(mark in lower for mark in _MARKS):
        return []
    found = [
        ReportedRecipient(address=match[1], diagnostic=" ".join(match[2].split()).strip("# "))
        for match in islice(_DIAGNOSED.finditer(words), limits.RECIPIENTS + 1)
        if recipient.addresses(match[1], 1)
    ]
    if found:
        return found
    reached = _REACHED.search(words)
    if reached is None:
        return []
    return [
        ReportedRecipient(address=match[1], diagnostic=" ".join(match[2].split()))
        for match in islice(_ENTRY.finditer(words, reached.end()), limits.RECIPIENTS + 1)
    ]

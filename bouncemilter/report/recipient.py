"""Recipients of a report: addresses found in text, and blocks completed from their own words."""

from __future__ import annotations

import dataclasses
import re
from itertools import islice
from typing import Final

from bouncemilter import address, limits, text
from bouncemilter.model import Action, Defect, Phase, ReportedRecipient
from bouncemilter.report import reply
from bouncemilter.report.header import PLAIN

_LOCAL: Final = r"[\w!#$%&'*+/=?^`{|}~.-]{1,64}+"
ADDRESS: Final = re.compile(
    rf"(?<![\w!#$%&'*+/=?^`{{|}}~.@-])(?:{_LOCAL}|\"[^\"\n@]{{1,62}}\")@(?:[\w-]{{1,63}}+\.?){{1,16}}+|"
    rf"(?<=[<\s])\"[^\"\n]{{1,62}}\"@[\w.-]{{1,253}}"
)
"""An address in running text; linear, since it starts at the beginning of a word only."""
_HOST_SAID: Final = re.compile(
    r"(?:\bhost|\bserver|\bMTA|\bMX|connect(?:ing|ion)? to|talking to|from|"
    r"by)[ \t\n]+<?([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8})\.?>?(?=[ \t\n:,\[(]|$)",
    re.IGNORECASE,
)
_LETTERS: Final = re.compile(r"[^\W\d_]{2,}")
_TRAILING: Final = ".,;:!?'*"

NOTICE: Final = 16 * 1024
"""Characters of a notice that are searched for words about recipients."""


def addresses(words: str, most: int = limits.RECIPIENTS + 1) -> list[str]:
    """The distinct addresses in `words`, in order, at most `most`."""
    found: dict[str, str] = {}
    for match in ADDRESS.finditer(words):
        bare = match[0].strip(_TRAILING)
        if PLAIN.match(bare) or ("." in bare.rpartition("@")[2] and address.split(bare)):
            found.setdefault(bare.lower(), bare)
            if len(found) >= most:
                break
    return list(found.values())


def is_poor(diagnostic: str) -> bool:
    """Whether a diagnostic says nothing in words: empty, or codes alone."""
    return len(diagnostic) < 60 and sum(map(len, _LETTERS.findall(reply.STATUS.sub("", diagnostic)))) < 8


def words_about(notice: str, named: str) -> str:
    """What the text says about one address: the rest of its line and its paragraph, or the next one; on one line."""
    folded = notice[:NOTICE]
    at = folded.lower().find(named.lower()) if len(folded.lower()) == len(folded) else folded.find(named)
    if not named or at < 0:
        return ""
    rest = folded[at + len(named) :]
    for paragraph in rest.split("\n\n")[:3]:
        end = _next_recipient(paragraph, named)
        piece = " ".join(paragraph[:end].split()).strip("<>():;, -=*|'\"]").strip()
        if len(_LETTERS.findall(piece)) >= 2 or reply.code(piece):
            return piece
        if end < len(paragraph):
            return ""
    return ""


def _next_recipient(paragraph: str, named: str) -> int:
    """Where the words about the next recipient begin: another address that leads a line; else the end."""
    for match in islice(ADDRESS.finditer(paragraph), limits.RECIPIENTS):
        line = paragraph.rfind("\n", 0, match.start())
        leads = line >= 0 and not paragraph[line : match.start()].strip(" \t\n<")
        if leads and match[0].lower() != named.lower():
            return match.start()
    return len(paragraph)


def finish(found: ReportedRecipient, defects: set[Defect]) -> ReportedRecipient:
    """A recipient with clean texts within limits; what it lacks is taken from its own diagnostic."""
    if len(found.diagnostic) > limits.DIAGNOSTIC:
        defects.add(Defect.LIMIT_DIAGNOSTIC)
    diagnostic = text.clean(found.diagnostic, limits.DIAGNOSTIC)
    status = found.status or reply.status(diagnostic)
    host = found.remote_host
    if not host:
        said = _HOST_SAID.search(diagnostic)
        host = said[1] if said else ""
    return dataclasses.replace(
        found,
        address=text.clean(found.address, limits.ADDRESS),
        status=status,
        reply_code=found.reply_code or reply.code(diagnostic),
        phase=found.phase if found.phase is not Phase.UNKNOWN else reply.phase(diagnostic),
        diagnostic=diagnostic,
        remote_host=text.clean(host, 255),
        original_address=text.clean(found.original_address, limits.ADDRESS),
        final_address=text.clean(found.final_address, limits.ADDRESS),
    )


def capped(found: list[ReportedRecipient], defects: set[Defect]) -> tuple[ReportedRecipient, ...]:
    """At most limits.RECIPIENTS of them, each address once: a failure beats what is said besides."""
    unique: dict[str, ReportedRecipient] = {}
    for each in found:
        key = address.key(each.address) or each.address
        if key not in unique or (each.action is Action.FAILED and unique[key].action is not Action.FAILED):
            unique[key] = each
    if len(unique) > limits.RECIPIENTS:
        defects.add(Defect.LIMIT_RECIPIENTS)
    return tuple(unique.values())[: limits.RECIPIENTS]

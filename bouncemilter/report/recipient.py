"""Recipients of a report: addresses found in text, and blocks completed from their own words."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import Final

from bouncemilter import address, limits, text
from bouncemilter.model import Action, Defect, Phase, ReportedRecipient
from bouncemilter.report import escaped, reply
from bouncemilter.report.header import PLAIN
from bouncemilter.report.mention import mentions
from bouncemilter.report.message import Message

# Its words begin with single letters, and the word's edge is looked for behind them, for speed (see reply.STATUS).
_HOST_SAID: Final = re.compile(
    r"(?:h(?<!\w.)ost|H(?<!\w.)ost|s(?<!\w.)erver|S(?<!\w.)erver|M(?<!\w.)(?:TA|X)|"
    r"connect(?:ing|ion)? to|Connect(?:ing|ion)? to|talking to|from|From|by|By)"
    r"[ \t\n]+<?([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8})\.?>?(?=[ \t\n:,\[(]|$)"
)
_WORDS: Final = re.compile(r"[^\W\d_]{2,}+(?:[\W\d_]+[^\W\d_]{2}|(?<=[^\x00-\x7f]{4}))")
_LETTERS: Final = re.compile(r"[^\W\d_]{2,}")
_ATTRIBUTE: Final = re.compile(r"(?i)\A(?:smtp|rfc-?822|internet|mail)=")
"""The attribute of an X.400 address that holds an Internet address: `DDA:SMTP=user@example.com`."""
_LOCAL_PART: Final = re.compile(r"[A-Za-z0-9][\w.+-]{1,63}\Z")
_TRAILING: Final = ".,;:!?'*"
_AROUND: Final = "<>():;, -=*|'\"]"

NOTICE: Final = 16 * 1024
"""Characters of a notice that are searched for words about recipients."""
AFTER: Final = 2 * 1024
"""Characters below an address that are about it: searched again for each recipient, so RECIPIENTS times."""
BESIDE: Final = 20
"""Addresses in these that may be the next recipient's."""


def addresses(words: str, most: int = limits.RECIPIENTS + 1) -> list[str]:
    """The distinct addresses in `words`, in order, at most `most`."""
    found: dict[str, str] = {}
    for each in mentions(words):
        bare = each.written.strip(_TRAILING)
        if "=" in bare:
            bare = _ATTRIBUTE.sub("", bare)
        if PLAIN.match(bare) or ("." in bare.rpartition("@")[2] and address.split(bare)):
            found.setdefault(bare.lower(), bare)
            if len(found) >= most:
                break
    return list(found.values())


def failed_header(message: Message) -> list[str]:
    """The addresses in X-Failed-Recipients, which Exim and Gmail write."""
    value = message.headers.raw(b"x-failed-recipients")
    return addresses(text.decode(value)) if value else []


def completed(named: str, message: Message) -> str:
    """A recipient as a report names it, as an address; empty where it is none.

    A mailbox without its domain is the returned message's own recipient where that begins alike, else one of the
    system that reports.
    """
    bare = named.strip(_TRAILING)
    if "@" in bare:
        return next(iter(addresses(bare, 1)), "")
    if not _LOCAL_PART.match(bare):
        return ""
    back = message.returned
    written_to = back.to if back else ""
    if written_to.rpartition("@")[0].lower() == bare.lower():
        return written_to
    domain = message.sender.rpartition("@")[2]
    return f"{bare}@{domain}" if domain and (message.from_daemon or message.from_postmaster) else ""


def is_poor(diagnostic: str) -> bool:
    """Whether a diagnostic says nothing in words: empty, or codes alone."""
    return len(diagnostic) < 60 and sum(map(len, _LETTERS.findall(diagnostic))) < 8


def around(notice: str, named: str) -> tuple[str, str]:
    """What stands before the first mention of an address, and what follows it up to the next recipient.

    Both are empty where it is not named; what follows is at most AFTER characters.
    """
    if not named:
        return "", ""
    folded = notice[:NOTICE]
    at = folded.find(named)
    if at < 0:
        lower = _lower(folded)
        at = lower.find(named.lower()) if len(lower) == len(folded) else -1
    if at < 0:
        return "", ""
    rest = folded[at + len(named) :][:AFTER]
    return folded[:at], rest[: _next_recipient(rest, named)]


@lru_cache(maxsize=2)
def _lower(notice: str) -> str:
    """A notice in lower case: the recipients of one report are sought in it one after another."""
    return notice.lower()


def first_words(after: str) -> str:
    """The first of three paragraphs with words or a code in it, on one line."""
    for paragraph in after.split("\n\n", 3)[:3]:
        piece = trimmed(" ".join(paragraph.split()))
        if has_words(piece) or reply.code(piece):
            return piece
    return ""


def is_next(after: str) -> bool:
    """Whether words follow before the first blank line."""
    return has_words(after.partition("\n\n")[0])


def trimmed(piece: str) -> str:
    """`piece` without the punctuation around it; a parenthesis that it opened itself stays closed."""
    piece = piece.lstrip(_AROUND + ".")
    bare = piece.rstrip(_AROUND)
    return bare + ")" if bare.count("(") > bare.count(")") and piece[len(bare) :].startswith(")") else bare


def words_about(notice: str, named: str) -> str:
    """What the text says about one address: the rest of its line and its paragraph, or the next one; on one line."""
    return first_words(around(notice, named)[1])


def has_words(piece: str) -> bool:
    """Whether at least two words stand in it, or a run of letters in a script without spaces."""
    return _WORDS.search(piece) is not None


def _next_recipient(rest: str, named: str) -> int:
    """Where the words about the next recipient begin: another address that leads a line; else the end."""
    if "@" not in rest or "\n" not in rest:
        return len(rest)
    for each in islice(mentions(rest), BESIDE):
        line = rest.rfind("\n", 0, each.start)
        leads = line >= 0 and not rest[line : each.start].strip(" \t\n<*-[")
        if leads and each.written.lower() != named.lower():
            return each.start
    return len(rest)


def finish(
    found: ReportedRecipient,
    defects: set[Defect],
    *,
    action: Action | None,
    status: str,
    diagnostic: str,
    phase_sought: str = "",
) -> ReportedRecipient:
    """A recipient with clean texts within limits; what it lacks is taken from its diagnostic.

    `action`, `status` and `diagnostic` are told apart: who calls this has completed them. `phase_sought` are words in
    which the phase was sought already.
    """
    if len(diagnostic) > limits.DIAGNOSTIC:
        defects.add(Defect.LIMIT_DIAGNOSTIC)
    diagnostic = _clean(diagnostic[: 4 * limits.DIAGNOSTIC])
    phase = found.phase
    if phase is Phase.UNKNOWN and diagnostic != phase_sought:
        phase = reply.phase(diagnostic)
    host = found.remote_host
    if not host:
        said = _HOST_SAID.search(diagnostic)
        host = said[1] if said else ""
    named, original, final = found.address, found.original_address, found.final_address
    address = text.clean(named, limits.ADDRESS)
    return ReportedRecipient(
        address=address,
        action=action,
        status=status or reply.status(diagnostic),
        reply_code=found.reply_code or reply.code(diagnostic),
        phase=phase,
        diagnostic=diagnostic,
        remote_host=text.clean(host, 255),
        original_address=address if original == named else text.clean(original, limits.ADDRESS),
        final_address=address if final == named else text.clean(final, limits.ADDRESS),
    )


@lru_cache(maxsize=2)
def _clean(diagnostic: str) -> str:
    """A diagnostic as it is kept; the recipients of one report often share theirs."""
    return text.clean(escaped.decoded(diagnostic), limits.DIAGNOSTIC)


def capped(found: list[ReportedRecipient], defects: set[Defect]) -> tuple[ReportedRecipient, ...]:
    """At most limits.RECIPIENTS of them, each address once: a failure beats what is said besides."""
    if len(found) == 1:
        return (found[0],)
    unique: dict[str, ReportedRecipient] = {}
    for each in found:
        key = address.key(each.address) or each.address
        if key not in unique or (each.action is Action.FAILED and unique[key].action is not Action.FAILED):
            unique[key] = each
    if len(unique) > limits.RECIPIENTS:
        defects.add(Defect.LIMIT_RECIPIENTS)
    return tuple(unique.values())[: limits.RECIPIENTS]

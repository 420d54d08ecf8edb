"""Reports of mail systems that nobody named: an address, then an error line.

Who failed is, in this order: whom X-Failed-Recipients names; an address that stands alone on its line or behind words
like `to` and `recipient`; the only address there is; the first address in the returned message's To.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from bouncemilter import limits
from bouncemilter.model import ReportedRecipient
from bouncemilter.report import notice, recipient, reply
from bouncemilter.report.automaton import Guarded
from bouncemilter.report.mention import Mention, mentions
from bouncemilter.report.message import Message

_BEFORE: Final = re.compile(
    r"(?i)(?:\bto|recipients?(?: address)?|rcpt(?: to)?|user|users|mailbox|account|addressee?s?|for|do|adresata?|"
    r"odbiorc[ayów]{1,3}|u[zż]ytkownika?|skrzynk[ai]|adres(?:u|em)?|konto|an|empf[aä]nger|adresse|destinataires?|"
    r"[aà]|destinatari[oa]s?|usuario|para|aan|ontvanger|adresát\w*|получател\w+|адрес\w*|宛先|送信先|アドレス)[\s:=<\"'(\[]*\Z"
)
_NOT_BEFORE: Final = re.compile(
    r"(?i)(?:\bfrom|sender|reply[- ]?to|contact|mail from|return[- ]path|questions?|help|assist\w*|e-?mail us|"
    r"write to|message[- ]id|by|postmaster|od|nadawc[ay]|kontakt\w*|administrator\w*|absender|von|exp[eé]diteur|de|"
    r"remitente|mittente|send \w+ to|forward(?:ed)? (?:this|it)[^\n]{0,20} to|mailto|"
    r"from your address)[\s:=<\"'(\[]*\Z"
)
_ROLE: Final = re.compile(
    r"(?i)\A(?:postmaster|mailer-daemon|abuse|hostmaster|support|help(?:desk)?|noc|webmaster|mail-?admin|no-?reply|"
    r"admin|root)@"
)
_ECHO: Final = re.compile(r"(?i)\A\W*(?:to|cc|an|do|a|para|aan|pour|komu)[ \t]*:")
"""A field of the returned message that a notice repeats."""
_LABEL: Final = re.compile(
    r"(?i)\A[ \t*>-]*(?:(?:failed |final |original |intended |invalid |the )?(?:recipients?|addressee|rcpt to|mailbox|"
    r"address)(?: address)?|adresat|odbiorca|empf[aä]nger|destinataire|destinatari[oa]|ontvanger|p[rř][ií]jemce|"
    r"адресат|получатель|宛先|送信先)[ \t]*[:=：][ \t<\[\"']*\Z"
)
_CODED: Final = re.compile(r"(?:^|[\s:(])[45]\d\d[ -]#?[45]?\.?|#[45]\.\d\.\d|\b[45]\.\d\.\d\b")
_UNQUALIFIED: Final = re.compile(
    r"(?:following(?: address(?:es|\(es\))?| recipients?| users?)?)\b[^\n]{0,40}:[ \t]*\n\s*"
    r"([A-Za-z0-9][\w.+-]{1,63})(?:[ \t]*$|[ \t]+(?=[(\"])|[ \t]{2,})([^\n]*)",
    re.MULTILINE,
)
"""A mailbox without its domain below `the following recipients:`, and what is said of it."""

_REACHED: Final = Guarded(
    r"\b(?:success(?:ful(?:ly)?)?|relayed|was delivered|were delivered|have been delivered|has been delivered|"
    r"delivered[ ;,|\t]{1,4}2\d\d|25[0-9] (?:2\.\d\.\d|ok)|"
    r"(?:have |has )?received (?:it|the|your)|delivered to the following|delivery via|queued as|"
    r"dostarczono (?:do|pomy[sś]lnie)|pomy[sś]lnie|zosta[lł]a? (?:dostarczon|dor[eę]czon)\w*|otrzymali|"
    r"erfolgreich|wurde zugestellt|remis avec|livr[eé] [aà]|entregado a|con [eé]xito|consegnato a|"
    r"sucesso|succesvol|[uú]sp[eě][sš]n[eě])\b|"
    r"\A\W{0,8}(?:delivered|dostarczono|zugestellt|remis|entregado|consegnato|bezorgd)\b[^\n]{0,20}:\s*\Z",
    re.IGNORECASE,
)
_UNREACHED: Final = re.compile(
    r"(?i)\b(?:not|n't|un\w+|never|nie|nicht|non|pas|no|n[aã]o|niet|fail\w*|could|cannot)\b|n't\b"
)
_AFTER: Final = (":", "-", ",", ";", "|", "...", "(")
"""What parts an address that leads its line from the error."""
HEADING: Final = 600
"""Characters above an address in which the heading of its list is sought."""

CANDIDATES: Final = 3 * limits.RECIPIENTS
"""Addresses in a notice that are weighed; each recipient may be named in three places."""


def read(message: Message, words: str) -> list[ReportedRecipient]:
    """The failed recipients of a report in no known format; an empty list where nobody is named."""
    named = recipient.failed_header(message)
    back = message.returned
    if not named:
        named = _named(message, words, back.to if back else "")
    if not named and back and back.to:
        named = [back.to]
    if not named:
        return [
            ReportedRecipient(address=each, diagnostic=" ".join(match[2].split()).strip('()"'))
            for match in islice(_UNQUALIFIED.finditer(words), limits.RECIPIENTS)
            if (each := recipient.completed(match[1], message))
        ]
    return [ReportedRecipient(address=each) for each in named]


def _named(message: Message, words: str, written_to: str) -> list[str]:
    ours = {
        message.sender.lower(),
        message.headers.address(b"to").lower(),
        message.headers.address(b"return-path").lower(),
    }
    alone: dict[str, str] = {}
    called: dict[str, str] = {}
    weak: dict[str, str] = {}
    for match in islice(mentions(words), CANDIDATES):
        bare = (recipient.addresses(match.written, 1) or [""])[0]
        before = words[max(0, match.start - 40) : match.start].rpartition("\n")[2]
        if not bare or bare.lower() in ours or _NOT_BEFORE.search(before) or _is_reached(words, match):
            continue
        if bare.lower() == written_to.lower() or _stands_alone(words, match, before):
            alone.setdefault(bare.lower(), bare)
        elif _is_called(match, before):
            called.setdefault(bare.lower(), bare)
        elif not _ROLE.match(bare):
            weak.setdefault(bare.lower(), bare)
    # Addresses in running words are contacts where others stand alone.
    strong = alone or called
    certain = strong.get(written_to.lower())
    if certain and len(strong) > 1:
        # The returned message's own recipient is certain; the others where they stand like it, or an error follows.
        frame = _frame(words, certain)
        strong = {
            key: value
            for key, value in strong.items()
            if value == certain or _frame(words, value) == frame or _error_follows(words, value)
        }
    if strong or _UNQUALIFIED.search(words):
        return list(strong.values())
    return list(weak.values()) if len(weak) == 1 and notice.is_by_machine(message) else []


def is_about_its_reader(message: Message, words: str) -> bool:
    """Whether a notice that no mail system signs names nobody but the one whom it addresses.

    A bounce tells its reader of somebody else's mailbox; who warns him of his own wants something of him.
    """
    reader = message.headers.address(b"to").lower()
    if not reader or message.made_by_machine or notice.is_by_machine(message):
        return False
    return any(each.written.lower() == reader for each in islice(mentions(words), CANDIDATES))


def _is_reached(words: str, match: Mention) -> bool:
    """Whether a notice says that the mail reached an address: on its line, or in the heading of its list."""
    start = words.rfind("\n", 0, match.start) + 1
    line = words[max(start, match.start - 80) : match.start] + words[match.end : match.end + 80].partition("\n")[0]
    if _REACHED.search(line):
        return not _UNREACHED.search(line)
    heading = ""
    for above in reversed(words[max(0, start - HEADING) : start].split("\n")):
        if above.rstrip().endswith(":") and "@" not in above:
            heading = above
            break
    return bool(_REACHED.search(heading)) and not _UNREACHED.search(heading)


def _stands_alone(words: str, match: Mention, before: str) -> bool:
    """Whether an address stands alone on its line, leads it, or follows a label or a code that leads it."""
    if _ROLE.match(match.written):
        return False
    if _LABEL.match(before):
        return True
    after = words[match.end : match.end + 80].partition("\n")[0]
    if before.strip(" \t<>*-\"'([:;0123456789.)"):
        return bool(_CODED.search(before))
    return not after.strip(" \t<>*-\"')],;.:") or after.lstrip(" >\"')]").startswith(_AFTER)


def _is_called(match: Mention, before: str) -> bool:
    """Whether words such as `to` and `recipient` stand before an address."""
    return not _ROLE.match(match.written) and bool(_BEFORE.search(before)) and not _ECHO.match(before)


def _frame(words: str, named: str) -> tuple[str, str]:
    """What stands before an address on its line, and right behind it."""
    at = words.find(named)
    end = at + len(named)
    return words[max(0, at - 40) : at].rpartition("\n")[2].strip(), words[end : end + 4].partition("\n")[0].strip()


def _error_follows(words: str, named: str) -> bool:
    said = recipient.words_about(words, named)
    return bool(reply.code(said) or reply.status(said)) or notice.says(notice.FAILED + notice.REASONS, said.lower())

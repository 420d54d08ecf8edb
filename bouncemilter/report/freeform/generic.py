"""Reports of mail systems that nobody named: an address, then an error line.

Who failed is, in this order: whom X-Failed-Recipients names; an address that stands alone on its line or behind words
like `to` and `recipient`; the only address there is; the first address in the returned message's To.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from bouncemilter import limits, text
from bouncemilter.model import ReportedRecipient
from bouncemilter.report import diagnostic, notice, recipient, reply, returned
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
_CODED: Final = re.compile(r"(?:^|[\s:(])[45]\d\d[ -]#?[45]?\.?|#[45]\.\d\.\d|\b[45]\.\d\.\d\b")

CANDIDATES: Final = 3 * limits.RECIPIENTS
"""Addresses in a notice that are weighed; each recipient may be named in three places."""


def read(message: Message, words: str) -> list[ReportedRecipient]:
    """The failed recipients of a report in no known format; an empty list where nobody is named."""
    named = recipient.addresses(text.decode(message.headers.raw(b"x-failed-recipients")))
    back = returned.of(message)
    if not named:
        named = _named(message, words, back.to if back else "")
    if not named and back and back.to:
        named = [back.to]
    errors = diagnostic.Errors(message)
    return [ReportedRecipient(address=each, diagnostic=errors.about(each)) for each in named]


def _named(message: Message, words: str, written_to: str) -> list[str]:
    ours = {
        message.sender.lower(),
        message.headers.address(b"to").lower(),
        message.headers.address(b"return-path").lower(),
    }
    strong: dict[str, str] = {}
    weak: dict[str, str] = {}
    for match in islice(recipient.ADDRESS.finditer(words), CANDIDATES):
        bare = (recipient.addresses(match[0], 1) or [""])[0]
        before = words[max(0, match.start() - 40) : match.start()].rpartition("\n")[2]
        if not bare or bare.lower() in ours or _NOT_BEFORE.search(before):
            continue
        if bare.lower() == written_to.lower() or _stands_out(words, match, before):
            strong.setdefault(bare.lower(), bare)
        elif not _ROLE.match(bare):
            weak.setdefault(bare.lower(), bare)
    if written_to.lower() in strong and len(strong) > 1:
        # The returned message's own recipient is certain; the others only where an error follows each of them.
        strong = {
            key: value for key, value in strong.items() if key == written_to.lower() or _error_follows(words, value)
        }
    return list(strong.values()) or (list(weak.values()) if len(weak) == 1 else [])


def _stands_out(words: str, match: re.Match[str], before: str) -> bool:
    """Whether an address stands where reports name a recipient: alone on its line, or behind such a word."""
    if _ROLE.match(match[0]):
        return False
    if _BEFORE.search(before):
        return True
    after = words[match.end() : match.end() + 80].partition("\n")[0]
    if before.strip(" \t<>*-\"'([:;0123456789.)"):
        return bool(_CODED.search(before))
    return not after.strip(" \t<>*-\"')],;.:") or after.lstrip(" >\"')]").startswith((":", "-", ",", "...", "("))


def _error_follows(words: str, named: str) -> bool:
    said = recipient.words_about(words, named)
    return bool(reply.code(said) or reply.status(said)) or notice.says(notice.FAILED, said.lower())

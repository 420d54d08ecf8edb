"""Read receipts: RFC 8098, S/MIME signed receipts (RFC 2634), and Outlook's that are text alone."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter import text
from bouncemilter.model import Kind, Report, ReportedRecipient
from bouncemilter.report import notice
from bouncemilter.report.header import Headers, mailbox
from bouncemilter.report.message import Message
from bouncemilter.report.mime import normalise

TYPES: Final[tuple[bytes, ...]] = (b"message/disposition-notification", b"message/global-disposition-notification")
_SUBJECT: Final = re.compile(
    r"(?i)\A\s*(?:read|not read|read receipt|return receipt[^:]{0,20}|disposition notification|przeczytano|"
    r"nie przeczytano|potwierdzenie (?:przeczytania|otwarcia|odczytu)[^:]{0,40}|gelesen|nicht gelesen|"
    r"lesebest[aä]tigung|lu|non lu|"
    r"accus[eé] de (?:lecture|r[eé]ception)|le[ií]do|no le[ií]do|letto|non letto|conferma di lettura|lida|"
    r"n[aã]o lida|gelezen|p[rř]e[cč]teno|прочитано|прочтено)\s*(?:[:-]|\Z)"
)
_READ: Final = notice.phrases(
    """
    was read on | was read at | has been read | was displayed on | was deleted without being read | was opened |
    this is a return receipt | this is a receipt | została przeczytana | zostala przeczytana | została wyświetlona |
    została usunięta bez przeczytania | została otwarta | potwierdzenie przeczytania | przeczytano: | wurde gelesen
    | a été lu | a été affiché | se leyó | ha sido leído | è stato letto | è stato visualizzato | foi lida |
    is gelezen |
    byla přečtena | было прочитано | прочитано
    """
)


_READ_ON: Final = re.compile(
    r"(?:wurde|was|zosta[lł]a?|a [eé]t[eé]|fue|[eè] stat[oa]|foi|is|byla)\b[^?!]{0,60}?\d[^?!]{0,40}?"
    r"\b(?:gelesen|ge[oö]ffnet|gel[oö]scht|read|opened|displayed|przeczytan[aey]|otwart[aey]|wy[sś]wietlon[aey]|"
    r"usuni[eę]t[aey]|lue?|le[ií]d[oa]|lett[oa]|"
    r"gelezen|p[rř]e[cč]tena)\b"
)
"""The same with the time in the middle of it: `wurde am 13.10.2026 07:14 gelesen`."""


def read(message: Message) -> Report | None:
    """A receipt: who read it stands as its recipient."""
    part = message.part(*TYPES)
    if part is not None:
        fields = Headers(normalise(part.content()).lstrip(b"\n"), message.defects)
        value = fields.raw(b"original-recipient") or fields.raw(b"final-recipient")
        named = mailbox(text.decode(value.partition(b";")[2] or value))
        recipients = (ReportedRecipient(address=named),) if named else ()
        return Report(
            kind=Kind.RECEIPT,
            recipients=recipients,
            format="mdn",
            returned=message.returned,
            known_by_words=not message.made_by_machine,
        )
    if (
        message.content_type.endswith(b"pkcs7-mime")
        and b"signed-receipt" in message.headers.raw(b"content-type").lower()
    ):
        return Report(kind=Kind.RECEIPT, format="mdn.smime")
    if _SUBJECT.match(message.subject) and len(message.text) < 1500 and _says_read(message.folded):
        return Report(kind=Kind.RECEIPT, format="mdn.text", known_by_words=True)
    return None


def _says_read(folded: str) -> bool:
    return notice.says(_READ, folded) or bool(_READ_ON.search(folded))

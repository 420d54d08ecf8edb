"""What the author of a message wrote, without the mail quoted below or between it, and without the signature."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter.report.automaton import Guarded
from bouncemilter.report.markup import QUOTED

READ: Final = 16 * 1024
"""Characters of a text that are looked at; nobody writes a longer request above a quotation."""

_SEPARATOR: Final = Guarded(
    r"^(?:" + QUOTED + r"[^\n]*"
    r"|[ \t]*[-_=*]{2,}[ \t]*(?:original message|original appointment|forwarded message|begin forwarded|"
    r"wiadomo[sś][cć] oryginalna|oryginalna wiadomo[sś][cć]|treść oryginalna|przekazana wiadomo|"
    r"urspr[uü]ngliche nachricht|originalnachricht|weitergeleitete|"
    r"message d.origine|message original|mensaje original|messaggio originale|mensagem original|"
    r"oorspronkelijk bericht|p[uů]vodn[ií] zpr|исходное сообщение|пересылаемое)[^\n]*"
    r"|_{20,}[ \t]*"
    r"|[ \t]*(?:From|Von|De|Od|Da|Van|От|Fr[aå]n)[ \t]*:[^\n]{1,200}\n[ \t]*(?:Sent|Date|To|Gesendet|Datum|An|"
    r"Envoy[eé]|Wys[lł]an[oey]|Data|Do|Enviado|Fecha|Inviato|Verzonden|Odesl[aá]no|Отправлено|Дата|"
    r"Skickat)[ \t]*:[^\n]*"
    r"|[^\n]{0,300}[ \t](?:wrote|writes|pisze|napisa[lł][a(/]{0,3}\)?|schrieb[^\n]{0,60}|a [eé]crit|escribi[oó]|"
    r"ha scritto|escreveu|schreef[^\n]{0,60}|napsal[a(]{0,2}\)?|пишет|написал[а(]{0,2}\)?|"
    r"skrev[^\n]{0,60})[ \t]*:[ \t]*"
    r"|(?:On|W dniu|Dnia|Am|Le|El|Il giorno|Il|Em|Op|Dne|Den|Pada)[ \t][^\n]{4,200}\n[^\n]{0,200}(?:wrote|pisze|"
    r"napisa[lł][a(/]{0,3}\)?|schrieb|[eé]crit|escribi[oó]|scritto|escreveu|schreef|napsal[a(]{0,2}\)?|"
    r"skrev)[ \t]*:[ \t]*"
    r")$",
    re.MULTILINE | re.IGNORECASE,
)
_SIGNATURE: Final = re.compile(r"^--[ \t]?$", re.MULTILINE)


def written(words: str) -> str:
    """The author's own lines of a text part. What stands under a separator counts where nothing stands above it only
    if it is not quoted line by line.
    """
    words = words[:READ]
    separator = _SEPARATOR.search(words)
    above = words[: separator.start()] if separator else words
    if separator and not _own(above).strip():
        below = _own(words[separator.end() :])
        if words[separator.end() :].lstrip().startswith((">", "|")):
            return below
    return _own(above)


_QUOTATION: Final = re.compile(r"„[^„”“\"]{30,2000}[”“\"]|“[^“”]{30,2000}”|«[^«»]{30,2000}»|\"[^\"]{30,2000}\"")


def without_quotations(words: str) -> str:
    """`words` without what stands in quotation marks: a text that somebody talks about is not said."""
    return _QUOTATION.sub(" ", words)


def _own(words: str) -> str:
    signature = _SIGNATURE.search(words)
    if signature:
        words = words[: signature.start()]
    lines = [line for line in words.split("\n") if not line.lstrip().startswith((">", "|"))]
    return "\n".join(lines).strip()

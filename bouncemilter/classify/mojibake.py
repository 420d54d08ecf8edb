"""Letters that were lost on the way: text read in a wrong charset, and words whose letters became question marks.

Servers answer in UTF-8, ISO-8859-2 or Windows-1250, reports declare none or another, and Postfix's printable() writes a
question mark for every octet that is not ASCII. What is mended here is understood; what is shown stays as it came.
"""

from __future__ import annotations

import re
from typing import Final

from bouncemilter import charset

_RUN: Final = re.compile(r"[^\x00-\x7f]{2,}")
_SINGLE_OCTETS: Final = ("cp1252", "cp1250", "latin-1")
"""The charsets as which UTF-8 is misread."""
_EAST_ASIAN: Final = frozenset(("gb18030", "euc-jp", "euc-kr"))
_ENOUGH: Final = 8
"""High characters that a misread East Asian text has; `pääsy` is Finnish."""
_LOST: Final = re.compile(r"[a-z](?:\?+[a-z]|\?\?|\ufffd)|\ufffd[a-z]", re.IGNORECASE)

# Words of refusals as far as their last such letter and what tells them from others; endings follow.
_WORDS: Final = """
    użytk pełn wiadomość wiadomości przesyłk treść treści błęd błąd połącz załącz wyłącz usunięt został dużo duża duży
    zapełnion przepełnion nieprawidłow niepożądan niechcian skrzynkę istniał znaleźć odnaleźć właściciel wpłat opłac
    nieopłac zamknięt zajęt odmówi sprawdź spróbuj później próba próby prób odciąż ogranicz przekroczył wysył wysłan
    źródłow względ naduży wiarygodność tożsamość sieć sieci zgłosz pętl bezpieczeństw państw twój dostęp wygasł
    życzy odrzucił zablokował przyjęt przyjęc pojemność ilość częst szkodliw złośliw wirusów wyłudz nagłów
    empfänger ungültig überfüllt überschrit unerwünscht zurückgew für gelöscht enthält
    boîte expéditeur désactiv fermée refusé rejeté bloqué dépassé indésirable réputation
    buzón dirección contraseña tamaño está conexión reputación
    usuário endereço não caixa conteúdo
    uživatel příjemce schránk zpráv plná doručen odesílatel blokován
    användar mottagaren brevlåda avvisad är full skräppost
    käyttäj löydy täynnä
""".split()


def _key(word: str) -> str:
    return re.sub(r"[^\x00-\x7f]+", "?", word)


_MENDED: Final = {_key(word): word for word in _WORDS if not word.isascii()}
_DAMAGED: Final = re.compile(
    r"(?<![\w?])(?:"
    + "|".join(re.escape(key).replace(r"\?", "[?\ufffd]+") for key in sorted(_MENDED, key=len, reverse=True))
    + ")",
    re.IGNORECASE,
)


def mended(text: str) -> str:
    """`text` with the letters that it was written with, as far as they can be told."""
    if not text.isascii():
        text = _RUN.sub(_as_utf8, text)
        text = _in_its_charset(text)
    if ("?" in text or "\ufffd" in text) and _LOST.search(text):
        text = _DAMAGED.sub(lambda part: _MENDED[re.sub("[?\ufffd]+", "?", part[0].lower())], text)
    return text


def _as_utf8(run: re.Match[str]) -> str:
    """Characters whose octets are UTF-8 that was read as something else; else the run itself."""
    for codec in _SINGLE_OCTETS:
        try:
            return run[0].encode(codec).decode("utf-8")
        except UnicodeError:
            continue
    return run[0]


def _in_its_charset(text: str) -> str:
    """Octets that were read as latin-1, read as what they are; the text itself where they may well be latin-1."""
    try:
        raw = text.encode("cp1252" if re.search("[œŸ]", text) else "latin-1")
    except UnicodeEncodeError:
        return text
    codec = charset.guess(raw)
    if not codec or (codec in _EAST_ASIAN and sum(octet > 0x7F for octet in raw) < _ENOUGH):
        return text
    return raw.decode(codec, "replace")

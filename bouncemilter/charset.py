"""The charset of text that declares none, guessed from its bytes: for words that must be understood, not for show."""

from __future__ import annotations

import re
from typing import Final

LOOKED_AT: Final = 8 * 1024
"""Octets that are looked at."""

_HIGH: Final = re.compile(rb"[\x80-\xff]+")
_LETTERS: Final = re.compile(rb"[A-Za-z]+")
# What latin-1 has as symbols (ł is its ³, ą its ±) stands inside a word only where the text is not latin-1.
_INSIDE: Final = re.compile(
    rb"(?<=[A-Za-z\xc0-\xff])[\x80-\x9f\xb1\xb3\xb5\xb6\xb9-\xbc\xbe\xbf]|"
    rb"[\x80-\x9f\xb1\xb3\xb6\xb9-\xbc\xbe\xbf](?=[a-z])"
)
_WINDOWS: Final = re.compile(rb"[\x8a\x8c-\x8f\x9a\x9c-\x9f]|\xb9(?![\xec\xf8])")
_LATIN2: Final = re.compile(rb"[\xb1\xb6\xbc\xbe\xec\xf8]")
_SMALL_1251: Final = 0xE0
"""The first small letter of Windows-1251."""
_LETTERS_8BIT: Final = 0xC0
"""The first letter of Windows-1251 and KOI8-R, but for ё."""
_ENOUGH: Final = 8
"""Characters that make a rule without exception no accident."""


def guess(raw: bytes) -> str:
    """The likely charset of `raw`; empty where it is ASCII, UTF-8 or nothing that is told apart."""
    raw = raw[:LOOKED_AT]
    if b"\x1b$" in raw:
        return "iso-2022-jp"
    if raw.isascii() or _is_utf8(raw):
        return ""
    runs = _HIGH.findall(raw)
    # Octets below the letters of Windows-1251 and KOI8-R stand in any East Asian text of a few characters.
    if all(len(run) % 2 == 0 and min(run) >= 0xA1 for run in runs) and min(map(min, runs)) < _LETTERS_8BIT:
        return _east_asian(b"".join(runs))
    high = sum(map(len, runs))
    if high > sum(map(len, _LETTERS.findall(raw))):
        return _cyrillic(runs)
    if _INSIDE.search(raw):
        return "windows-1250" if _WINDOWS.search(raw) and not _LATIN2.search(raw) else "iso-8859-2"
    return ""


def _is_utf8(raw: bytes) -> bool:
    """Whether it is UTF-8, but for a character that was cut at its end."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and error.start > 0 and error.end == len(raw) == LOOKED_AT
    return True


def _east_asian(high: bytes) -> str:
    """EUC-JP where kana abound, EUC-KR where all is Hangul, else GB 18030, of which GB 2312 is a part."""
    leads = high[::2]
    if 4 * sum(lead in (0xA4, 0xA5) for lead in leads) > len(leads):
        return "euc-jp"
    hangul = sum(0xB0 <= lead <= 0xC8 for lead in leads)
    return "euc-kr" if len(leads) >= _ENOUGH and hangul == len(leads) else "gb18030"


def _cyrillic(runs: list[bytes]) -> str:
    """KOI8-R has its small letters where Windows-1251 has its capitals."""
    tails = b"".join(run[1:] for run in runs)
    small = sum(byte >= _SMALL_1251 for byte in tails)
    return "windows-1251" if 2 * small >= len(tails) else "koi8-r"

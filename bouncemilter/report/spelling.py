"""Texts spelled alike before words are sought in them: on one line, or as people write who have no time.

`prosze o wypisanie` stands for `proszę o wypisanie`.
"""

from __future__ import annotations

import unicodedata
from typing import Final

LOOKED_AT: Final = 8 * 1024
"""Characters of a text that are searched for phrases."""
_WHOLE: Final = {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae", "Æ": "AE", "ı": "i"}
_PLAIN: Final = {
    code: _WHOLE.get(chr(code)) or unicodedata.normalize("NFD", chr(code))[0] for code in range(0xC0, 0x180)
} | {0x218: "S", 0x219: "s", 0x21A: "T", 0x21B: "t"}
"""Latin letters without their marks. Those of other scripts are letters of their own (`й`, `が`) and stay."""


def plain(words: str) -> str:
    """`words` with Latin letters alone, without diacritics; works on patterns of `re` too: `[eę]` becomes `[ee]`."""
    return words if words.isascii() else words.translate(_PLAIN)


def fold(words: str) -> str:
    """The beginning of `words` in lower case with single spaces."""
    return " ".join(words[:LOOKED_AT].lower().replace("\u2019", "'").split())

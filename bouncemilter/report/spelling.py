"""Words as people spell them who have no time: `prosze o wypisanie` for `proszę o wypisanie`."""

from __future__ import annotations

import unicodedata
from typing import Final

_WHOLE: Final = {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae", "Æ": "AE", "ı": "i"}
_PLAIN: Final = {
    code: _WHOLE.get(chr(code)) or unicodedata.normalize("NFD", chr(code))[0] for code in range(0xC0, 0x180)
} | {0x218: "S", 0x219: "s", 0x21A: "T", 0x21B: "t"}
"""Latin letters without their marks. Those of other scripts are letters of their own (`й`, `が`) and stay."""


def plain(words: str) -> str:
    """`words` with Latin letters alone, without diacritics; works on patterns of `re` too: `[eę]` becomes `[ee]`."""
    return words if words.isascii() else words.translate(_PLAIN)

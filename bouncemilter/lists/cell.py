"""The addresses in one cell of a list."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter import address

_ANGLES: Final = re.compile(r"<([^<>]*@[^<>]*)>")
_PARTS: Final = re.compile(r"[\s,;|]+")
_QUOTES: Final = "\"'"
_LONGEST: Final = 4096
"""Characters: no cell with addresses alone is longer."""


def addresses(cell: str) -> tuple[str, ...]:
    """The addresses that a cell holds, as written; none where it holds anything else.

    One address; `Name <address>`; several of these, parted by commas, semicolons or space; with `mailto:` before it or
    quotes around it.
    """
    bare = cell.strip()
    if "@" not in bare or len(bare) > _LONGEST:
        return ()
    if address.split(bare):
        return (bare,)
    named = _ANGLES.findall(bare)
    parts = named or [_bare(part) for part in _PARTS.split(_bare(bare)) if part]
    return tuple(part.strip() for part in parts) if parts and all(address.split(part) for part in parts) else ()


def _bare(part: str) -> str:
    """Without what is put around an address by accident."""
    if len(part) > 2 and part[0] == part[-1] and part[0] in _QUOTES:
        part = part[1:-1].strip()
    return part[7:] if part[:7].lower() == "mailto:" else part

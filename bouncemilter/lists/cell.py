"""The addresses in one cell of a list."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from bouncemilter import address, text

_ANGLES: Final = re.compile(r"<([^<>]*@[^<>]*)>")
_PARTS: Final = re.compile(r"[\s,;|]+")
_SLASHED: Final = re.compile(r"[\s,;|/]+")
_AROUND: Final = ('""', "''", "()", "[]", "{}")
_COMMENT: Final = re.compile(r"\s*\([^()]*\)\Z")
_AS_TEXT: Final = re.compile(r'="([^"]*)"\Z')
"""How a CSV file has a spreadsheet take a cell for a text."""
_LONGEST: Final = 4096
"""Characters: no cell with addresses alone is longer."""


def addresses(cell: str) -> tuple[str, ...]:
    """The addresses that a cell holds, as written; none where it holds anything else.

    One address; `Name <address>`; several of these, parted by commas, semicolons, slashes or space; with `mailto:`
    before it, quotes or brackets around it, or a comment in brackets behind it. Letters that nobody sees are left out.
    """
    if "@" not in cell or len(cell) > _LONGEST:
        return ()
    bare = cell.strip()
    if not (bare.isascii() and bare.isprintable()):
        bare = unicodedata.normalize("NFC", text.unhidden(_on_one_line(bare)))
    if address.split(bare):
        return (bare,)
    if named := _ANGLES.findall(bare):
        others = map(_bare, _PARTS.split(_ANGLES.sub(" ", bare)))
        return _all([*named, *filter(address.split, others)])
    bare = _bare(bare)
    return (
        _all(_bare(part) for part in _PARTS.split(bare))
        or _all((_COMMENT.sub("", bare),))
        or _all(_bare(part) for part in _SLASHED.split(bare))
    )


def has_hidden(cell: str) -> bool:
    """Whether letters that nobody sees stand in a cell: `addresses` overlooks them, a mail server does not."""
    if cell.isascii() and cell.isprintable():
        return False
    line = _on_one_line(cell)
    return text.unhidden(line) != line


def _on_one_line(cell: str) -> str:
    return " ".join(cell.split())


def _all(parts: Iterable[str]) -> tuple[str, ...]:
    """The parts, each once, if every one is an address; empty ones don't count."""
    found = {part.lower(): part for each in parts if (part := each.strip())}
    return tuple(found.values()) if all(map(address.split, found)) else ()


def _bare(part: str) -> str:
    """Without what is put around an address by accident."""
    if as_text := _AS_TEXT.match(part):
        part = as_text[1]
    while len(part) > 2 and part[0] + part[-1] in _AROUND:
        part = part[1:-1].strip()
    # RFC 6068: what follows the question mark is the message's.
    return part[7:].partition("?")[0] if part[:7].lower() == "mailto:" else part

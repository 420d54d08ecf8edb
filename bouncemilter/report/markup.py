"""HTML as plain text, good enough to find sentences, addresses and error lines in it. One linear pass each."""

from __future__ import annotations

import re
from html.entities import html5
from typing import Final

_BREAK: Final = re.compile(
    r"<(?:br|p|div|tr|li|hr|h[1-6]|table|ul|ol|blockquote|/p|/div|/tr|/li|/h[1-6]|/table|/blockquote)\b[^<>]*>",
    re.IGNORECASE,
)
_CELL: Final = re.compile(r"</?t[dh]\b[^<>]*>", re.IGNORECASE)
_TAG: Final = re.compile(r"</?[A-Za-z!][^<>]*>")
_ENTITY: Final = re.compile(r"&(#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_PADDING: Final = " \t\u00a0"
QUOTED: Final = "\u2063"
"""A line of its own before mail that is quoted in HTML (an invisible separator, which no cleaned text contains)."""
_QUOTE: Final = re.compile(
    r"<blockquote\b[^<>]*>|<div[^<>]{0,200}(?:gmail_quote|divRplyFwdMsg|yahoo_quoted)[^<>]*>", re.IGNORECASE
)


def to_text(source: str) -> str:
    """The visible text of `source`, a line for each block element. Quoted mail is marked by a line QUOTED."""
    source = source.replace(QUOTED, "")
    for name in ("style", "script", "head"):
        source = _without(source, f"<{name}", f"</{name}")
    source = _without(source, "<!--", "-->")
    source = " ".join(source.split())
    source = _QUOTE.sub(f"\n{QUOTED}\n", source)
    source = _BREAK.sub("\n", source)
    source = _CELL.sub(" ", source)
    source = _TAG.sub("", source)
    if "&" in source:
        source = _ENTITY.sub(_entity, source)
    return "\n".join([line.strip(_PADDING) for line in source.split("\n")]).strip()


def _without(source: str, opening: str, closing: str) -> str:
    """`source` without what stands between the two marks; to its end where the second is missing."""
    lower = source.lower()
    at = lower.find(opening)
    if at < 0 or len(lower) != len(source):
        return source
    kept: list[str] = []
    position = 0
    while at >= 0:
        if opening[1].isalpha() and lower[at + len(opening) : at + len(opening) + 1].isalpha():
            at = lower.find(opening, at + 1)  # `<header`, not `<head`
            continue
        kept.append(source[position:at])
        end = lower.find(closing, at)
        if end < 0:
            return "".join(kept)
        end = source.find(">", end)
        position = end + 1 if end >= 0 else len(source)
        at = lower.find(opening, position)
    kept.append(source[position:])
    return "".join(kept)


def _entity(match: re.Match[str]) -> str:
    name = match[1]
    if name[0] == "#":
        code = int("0" + name[1:].lower(), 0) if name[1] in "xX" else int(name[1:])
        return chr(code) if code < 0x110000 else ""
    return html5.get(name + ";", match[0])

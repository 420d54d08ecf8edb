"""Regular expressions in the tables of mail servers."""

from __future__ import annotations

_OWN_MEANING = frozenset(r".^$*+?()[]{}|\/")


def literal(text: str) -> str:
    r"""`text` as it is, in a POSIX extended pattern between slashes: `re.escape` writes `\-`, which POSIX lacks."""
    return "".join(f"\\{char}" if char in _OWN_MEANING else char for char in text)

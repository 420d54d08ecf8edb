"""What is sought in many texts and seldom found, by RE2's automata: one look at each octet, however much is sought."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import re2

_LOOSER: Final = (
    (re.compile(r"\\b"), ""),  # RE2's \b and \w know ASCII alone
    (re.compile(r"\\w"), r"\\S"),
    (re.compile(r"\\s"), r"[\\s\\x{80}-\\x{10ffff}]"),
    (re.compile(r"(?<=[*+}?])\+"), ""),
    (re.compile(r"\{0,\d+\}"), "*"),
    (re.compile(r"\{[1-9]\d*,\d*\}"), "+"),
)
"""What makes a pattern of `re` one of RE2 that matches at least the same texts, with a small automaton."""


def _compiled(patterns: Iterable[str]) -> re2.Set:
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    made = re2.Set.SearchSet(options)
    for each in patterns:
        made.Add(each)
    made.Compile()
    return made


def _octets(words: str) -> bytes:
    return words.encode("utf-8", "replace")


class Phrases(tuple[str, ...]):  # noqa: SLOT001  (a tuple can't have slots beside its items)
    """Literal phrases; where they stand is not told. Made ready when first asked for."""

    _automaton: re2.Set | None = None

    def within(self, words: str) -> bool:
        """Whether one of them stands in `words`."""
        return bool(self.found(words))

    def found(self, words: str) -> list[int]:
        """The places, in this tuple, of those that stand in `words`, in order."""
        automaton = self._automaton
        if automaton is None:
            automaton = self._automaton = _compiled(re2.escape(each) for each in self)
        found: list[int] = automaton.Match(_octets(words)) or []
        found.sort()
        return found


class Guarded:
    """A pattern of `re`, run only where RE2 finds a looser one: for long patterns that most texts don't match."""

    __slots__ = ("_exact", "_loose")

    def __init__(self, pattern: str, flags: int = 0) -> None:
        """`pattern` has no lookaround, nor \\w or \\s in a set; `flags` are re.IGNORECASE and re.MULTILINE at most."""
        self._exact = re.compile(pattern, flags)
        for what, instead in _LOOSER:
            pattern = what.sub(instead, pattern)
        self._loose = _compiled([f"(?{'i' if flags & re.IGNORECASE else ''}m:{pattern})"])

    def search(self, words: str) -> re.Match[str] | None:
        """The first match, as re.Pattern.search."""
        return self._exact.search(words) if self._loose.Match(_octets(words)) else None

    def finditer(self, words: str) -> Iterator[re.Match[str]]:
        """All matches, as re.Pattern.finditer."""
        return self._exact.finditer(words) if self._loose.Match(_octets(words)) else iter(())

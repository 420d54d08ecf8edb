"""What is sought in many texts and seldom found, by RE2's automata: one look at each octet, however much is sought."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import re2

_LOOSER: Final = (
    (re.compile(r"\(\?<?[=!](?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)"), ""),  # RE2 looks neither ahead nor behind
    (re.compile(r"\\Z"), ""),  # nor has it this one
    (re.compile(r"\\b"), ""),  # RE2's \b, \w, \d and \s know ASCII alone
    (re.compile(r"\\w"), r"\\S"),
    (re.compile(r"\\d"), r"\\p{Nd}"),
    (re.compile(r"\\s"), r"[\\s\\x{b}\\x{1c}-\\x{1f}\\x{80}-\\x{10ffff}]"),
    (re.compile(r"(?<=[*+}?])\+"), ""),
    (re.compile(r"\{0,\d+\}"), "*"),
    (re.compile(r"\{[1-9]\d*,\d*\}"), "+"),
)
"""What makes a pattern of `re` one of RE2 that matches at least the same texts, with a small automaton."""
_PIECE: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]|[^\\\[()|]+")
"""An escape, a set, a sign that groups or parts, or what stands between them."""


_OPTIONS: Final = re2.Options()
_OPTIONS.never_capture = True
_OPTIONS.log_errors = False


def _looser(pattern: str, flags: int = 0) -> list[str]:
    """The alternatives of a pattern of `re`, looser, for RE2: apart, since each needs words of its own."""
    for what, instead in _LOOSER:
        pattern = what.sub(instead, pattern)
    alternatives = [""]
    depth = 0
    for piece in _PIECE.findall(pattern):
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and depth == 0:
            alternatives.append("")
        else:
            alternatives[-1] += piece
    return [f"(?{'i' if flags & re.IGNORECASE else ''}m:{each})" for each in alternatives]


def _filter(patterns: Iterable[str]) -> re2.Filter:
    """Looks for the literal words that each pattern needs, then runs those of them that may match.

    Gaps such as `[^.]*` in one automaton of many patterns make it outgrow its memory.
    """
    made = re2.Filter()
    for each in patterns:
        made.Add(each, _OPTIONS)
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
            automaton = re2.Set.SearchSet(_OPTIONS)
            for each in self:
                automaton.Add(re2.escape(each))
            automaton.Compile()
            self._automaton = automaton
        found: list[int] = automaton.Match(_octets(words)) or []
        found.sort()
        return found


class Guarded:
    """A pattern of `re`, run only where RE2 finds a looser one: for long patterns that most texts don't match."""

    __slots__ = ("_exact", "_loose")

    def __init__(self, pattern: str, flags: int = 0) -> None:
        r"""`pattern` has no `\s` in a set, nor `\w` or `\d` in a negated one.

        `flags` are re.IGNORECASE and re.MULTILINE at most.
        """
        self._exact = re.compile(pattern, flags)
        self._loose = _filter(_looser(pattern, flags))

    def search(self, words: str) -> re.Match[str] | None:
        """The first match, as re.Pattern.search."""
        return self._exact.search(words) if self._loose.Match(_octets(words)) else None

    def finditer(self, words: str) -> Iterator[re.Match[str]]:
        """All matches, as re.Pattern.finditer."""
        return self._exact.finditer(words) if self._loose.Match(_octets(words)) else iter(())


class Patterns:
    """Named patterns of `re`, sought together; each is run only where RE2 finds a looser one."""

    __slots__ = ("_exact", "_loose", "_owners")

    def __init__(self, patterns: Mapping[str, str]) -> None:
        """The patterns are as those of Guarded, without flags."""
        self._exact = {name: re.compile(pattern) for name, pattern in patterns.items()}
        loose = [(each, name) for name, pattern in patterns.items() for each in _looser(pattern)]
        self._loose = _filter(each for each, _ in loose)
        self._owners = tuple(name for _, name in loose)

    def found(self, words: str) -> frozenset[str]:
        """The names of those that match somewhere in `words`."""
        return frozenset([name for name in self._likely(words) if self._exact[name].search(words)])

    def finditer(self, words: str) -> Iterator[re.Match[str]]:
        """All matches of all of them, one pattern after the other."""
        return (match for name in self._likely(words) for match in self._exact[name].finditer(words))

    def _likely(self, words: str) -> list[str]:
        found = {self._owners[place] for place in self._loose.Match(_octets(words)) or ()}
        return [name for name in self._exact if name in found] if found else []

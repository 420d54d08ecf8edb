"""Typing errors in the domains of big providers: `wp.pll`, `gmial.com`, `dżmail.pl`."""

from __future__ import annotations

import unicodedata
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import idna

from bouncemilter import domain

_LONG: Final = 9
"""Characters from which on one slip can't be another firm's name by chance: `gmail.com`, `interia.pl`."""
_SHORT: Final = 5
"""Up to here a slip of a key is another name as a rule: `wp.pl` and `hp.pl`."""
_FAR: Final = 9
_SOUNDS: Final = (("dż", "g"), ("dzi", "g"), ("ł", "l"), ("đ", "d"), ("ø", "o"), ("ß", "ss"), ("æ", "ae"))
"""As it is heard (`dżmail`), and letters that have no base letter in Unicode."""
_ENDINGS: Final = {
    "com": frozenset("co cm om con cpm xom vom comm ocm cmo coom cim cpom".split()),
    "pl": frozenset("p l lp pll ppl pk pol pl.pl".split()),
}
"""Endings that stand for another one, though some of them exist."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The domain that may be meant."""

    domain: str
    sure: bool
    """Whether it is worth saying so even where the mistyped domain takes mail."""


def suggestion(name: str, known: AbstractSet[str] = frozenset()) -> Suggestion | None:
    """What was meant by the domain `name` (an A-label in lower case); None where nothing else is likely.

    `known`: further domains that are no typing errors.
    """
    providers = _providers()
    if name in providers or name in known:
        return None
    meant = _sounded(name)
    if meant != name and meant in providers:
        return Suggestion(meant, sure=True)
    ending = _other_ending(meant, name)
    if ending:
        return Suggestion(ending, sure=True)
    best, best_distance, letters = "", _FAR, set(meant)
    for provider in providers:
        allowed = 2 if len(provider) >= _LONG else 1
        # A slip changes two letters of the set at most; this spares most of the sums.
        if abs(len(provider) - len(meant)) > allowed or len(letters ^ set(provider)) > 2 * allowed:
            continue
        distance = _distance(meant, provider, allowed)
        if distance < best_distance and distance <= allowed:
            best, best_distance = provider, distance
    if not best:
        return None
    sure = (best_distance <= 1 and (len(best) >= _LONG or _slipped(meant, best))) or not domain.has_known_suffix(name)
    return Suggestion(best, sure)


def _other_ending(meant: str, name: str) -> str:
    """The provider of the same name with another ending, where this one is not real or not likely."""
    label, _, ending = meant.partition(".")
    for provider, alone in _providers().items():
        its_label, _, its_ending = provider.partition(".")
        if label != its_label or ending == its_ending:
            continue
        if alone or ending in _ENDINGS.get(its_ending, ()) or not domain.has_known_suffix(name):
            return provider
    return ""


def _slipped(meant: str, provider: str) -> bool:
    """Whether the letters are the same, but for their order or a doubled one, in a name that is not very short."""
    if len(provider) <= _SHORT:
        return False
    return sorted(meant) == sorted(provider) or set(meant) == set(provider)


def _sounded(name: str) -> str:
    """The domain in plain letters."""
    try:
        written = idna.decode(name) if "xn--" in name else name
    except (idna.IDNAError, UnicodeError):
        return name
    for heard, letter in _SOUNDS:
        written = written.replace(heard, letter)
    plain = "".join(char for char in unicodedata.normalize("NFKD", written) if not unicodedata.combining(char))
    return plain if plain.isascii() else name


def _distance(one: str, other: str, most: int) -> int:
    """Letters that are changed, added, left out, or exchanged with their neighbour; at most `most` + 1.

    Source: the optimal string alignment distance, a restricted Damerau-Levenshtein distance.
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        before, last, row = row, before, [at]
        for to, wanted in enumerate(other, 1):
            cost = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (letter != wanted))
            if at > 1 and to > 1 and letter == other[to - 2] and one[at - 2] == wanted:
                cost = min(cost, last[to - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


@cache
def _providers() -> dict[str, bool]:
    """Domain → whether it is alone in its name; in the order of the file, which decides between equals."""
    found = {}
    content = resources.files("bouncemilter.validation").joinpath("providers.txt").read_text("utf-8")
    for line in content.splitlines():
        if line and not line.startswith("#"):
            name, _, star = line.partition(" ")
            found[name] = star == "*"
    return found

"""Typing errors in the domains of big providers: `wp.pll`, `gmial.com`, `dżmail.pl`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib import resources
from typing import Final

import idna

from bouncemilter import domain

_LONG: Final = 9
"""Characters from which on one slip can't be another firm's name by chance: `gmail.com`, `interia.pl`."""
_SHORT: Final = 4
"""A name with fewer letters before the ending is another firm's after one slip, as a rule: `wp.pl` and `hp.pl`."""
_DOUBLED: Final = re.compile(r"(.)\1+")
_FAR: Final = 9
_SOUNDS: Final = (("dż", "g"), ("dzi", "g"), ("ł", "l"), ("đ", "d"), ("ø", "o"), ("ß", "ss"), ("æ", "ae"))
"""As it is heard (`dżmail`), and letters that have no base letter in Unicode."""
_ENDINGS: Final = {
    "com": frozenset("co cm om con cpm xom vom comm ocm cmo coom cim cpom".split()),
    "pl": frozenset("p l lp pll ppl pk pol pl.pl".split()),
}
"""Endings that stand for another one, though some of them exist."""


class Odds(IntEnum):
    """How likely it is a typing error."""

    FAIR = 1
    """Worth saying where the domain takes no mail."""
    GOOD = 2
    """Also where nothing is known of the domain."""
    SURE = 3
    """Even where the domain takes mail: those who register typing errors take it, too."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The domain that may be meant."""

    domain: str
    odds: Odds


@dataclass(frozen=True, slots=True)
class _Provider:
    """What providers.txt says of a provider."""

    alone: bool
    """With any other ending it is a typing error."""
    coined: bool
    """No other firm's name is one slip away from it."""


def suggestion(name: str, known: AbstractSet[str] = frozenset()) -> Suggestion | None:
    """What was meant by the domain `name` (an A-label in lower case); None where nothing else is likely.

    `known`: further domains that are no typing errors.
    """
    providers = _providers()
    if name in providers or name in known:
        return None
    meant = _sounded(name)
    if meant != name and meant in providers:
        return Suggestion(meant, Odds.SURE)
    is_real = domain.has_known_suffix(name)
    if ending := _other_ending(meant, is_real=is_real):
        known_by_name = providers[ending].alone or providers[ending].coined
        return Suggestion(ending, Odds.SURE if known_by_name or not is_real else Odds.GOOD)
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
    return Suggestion(best, Odds.SURE if not is_real else _odds(meant, best) if best_distance <= 1 else Odds.FAIR)


def _other_ending(meant: str, *, is_real: bool) -> str:
    """The provider of the same name with another ending, where this one is not real or not likely."""
    label, _, ending = meant.partition(".")
    for provider, about in _providers().items():
        its_label, _, its_ending = provider.partition(".")
        if label != its_label or ending == its_ending:
            continue
        if about.alone or ending in _ENDINGS.get(its_ending, ()) or not is_real:
            return provider
    return ""


def _odds(meant: str, provider: str) -> Odds:
    """How likely one slip of a key made `meant` of `provider`, where the ending is real.

    Letters that changed places or are doubled are slips, in a name that is not very short; so is nearly everything one
    letter away from a coined name. But nobody mistypes the first letter: `olive.com`, `cloud.com`, `hmail.com`.
    """
    name, its_name = meant.rpartition(".")[0], provider.rpartition(".")[0]
    if len(its_name) < _SHORT or name[:1] != its_name[:1] or meant[len(name) :] != provider[len(its_name) :]:
        return Odds.FAIR
    if sorted(name) == sorted(its_name) or _undoubled(name) == _undoubled(its_name):
        return Odds.SURE
    if _providers()[provider].coined and len(name) <= len(its_name):
        return Odds.SURE
    return Odds.GOOD if len(provider) >= _LONG or set(name) == set(its_name) else Odds.FAIR


def _undoubled(name: str) -> str:
    """Each letter that stands several times in a row once."""
    return _DOUBLED.sub(r"\1", name)


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
def _providers() -> dict[str, _Provider]:
    """In the order of the file, which decides between equals."""
    found = {}
    content = resources.files("bouncemilter.validation").joinpath("providers.txt").read_text("utf-8")
    for line in content.splitlines():
        if line and not line.startswith("#"):
            name, _, marks = line.partition(" ")
            found[name] = _Provider(alone="*" in marks, coined="+" in marks)
    return found

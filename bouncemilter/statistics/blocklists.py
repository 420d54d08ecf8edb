"""Which blocklist a server's words name, and where removal is asked for (blocklists.toml)."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import chain
from typing import Final

from bouncemilter.language import NO_WORDS, Language, Words

UNKNOWN_REMOVAL: Final = "https://multirbl.valli.org/"
"""It looks an address up in hundreds of lists."""
_NAMES: Final = re.compile(r"[a-z0-9.-]+")
_NAME_LENGTH: Final = 253
"""Characters of a domain name (RFC 1035 section 2.3.4)."""


@dataclass(frozen=True, slots=True)
class Blocklist:
    """One list."""

    name: str
    removal: str = ""
    """A URL; empty where none is known, or nobody takes requests."""
    instead: Words = NO_WORDS
    """What stands in its place."""
    provider: bool = False
    """What one provider of mailboxes refuses; else a public list."""

    def note(self, language: Language) -> str:
        """What stands in place of a URL; empty where there is one."""
        return self.instead.in_(language)


@dataclass(frozen=True, slots=True)
class Hit:
    """A list that servers have named."""

    blocklist: Blocklist
    n: int
    """Refusals."""
    diagnostic: str
    """One server's own words."""


def named(diagnostic: str) -> Blocklist:
    """The list that a refusal names; a nameless one where it names none."""
    found = _known(diagnostic)
    if found is not None and not found.provider:
        return found
    zone = _zone(diagnostic)
    return found if found is not None and not zone else Blocklist(zone, UNKNOWN_REMOVAL)


def _zone(diagnostic: str) -> str:
    """The zone of a list that the table does not know, by what such zones are called; empty where none is named."""
    for name in _NAMES.findall(diagnostic.lower()):
        labels = name.strip(".-").split(".")
        if len(name) <= _NAME_LENGTH and all(labels) and any(map(_is_list, labels[:-1])):
            return ".".join(labels)
    return ""


def _is_list(label: str) -> bool:
    return label == "bl" or "dnsbl" in label or label.startswith("rbl") or label.endswith("rbl")


def _known(diagnostic: str) -> Blocklist | None:
    folded = diagnostic.lower()
    return next((each for each, marks in _table() if any(_stands(mark, folded) for mark in marks)), None)


def _stands(mark: str, folded: str) -> bool:
    """Whether the mark stands in the words; one of an address's domain only with that domain's end."""
    if not mark.startswith("@"):
        return mark in folded
    return re.search(rf"{re.escape(mark)}(?![a-z0-9-]|\.[a-z0-9])", folded) is not None


def hits(refusals: Iterable[tuple[str, int]], by_providers: Iterable[tuple[str, int]] = ()) -> tuple[Hit, ...]:
    """The lists named by (server's words, how often), the most frequent first.

    `by_providers`: refusals of the category `blocked_by_provider`. What of them names nobody that the table knows is
    left out: any small server has a list of its own.
    """
    counts: Counter[Blocklist] = Counter()
    said: dict[Blocklist, str] = {}
    known = ((_known(words), words, n) for words, n in by_providers)
    for found, words, n in chain(((named(words), words, n) for words, n in refusals), known):
        if found is not None:
            counts[found] += n
            said.setdefault(found, words)
    return tuple(Hit(each, n, said[each]) for each, n in counts.most_common())


@cache
def _table() -> tuple[tuple[Blocklist, tuple[str, ...]], ...]:
    text = resources.files("bouncemilter.statistics").joinpath("blocklists.toml").read_text("utf-8")
    return tuple(
        (
            Blocklist(row["name"], row["removal"], Words(*row.get("note", NO_WORDS)), row.get("provider", False)),
            tuple(row["marks"]),
        )
        for row in tomllib.loads(text)["list"]
    )

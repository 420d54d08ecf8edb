"""Which blocklist a server's words name, and where removal is asked for (blocklists.toml)."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

UNKNOWN_REMOVAL: Final = "https://multirbl.valli.org/"
"""It looks an address up in hundreds of lists."""
# What the zones of lists that the table does not know are called.
_ZONE: Final = re.compile(r"(?i)\b((?:[a-z0-9-]+\.)*(?:[a-z0-9-]*(?:dnsbl|rbl)[a-z0-9-]*|bl)(?:\.[a-z0-9-]+)+)")


@dataclass(frozen=True, slots=True)
class Blocklist:
    """One list."""

    name: str
    removal: str = ""
    """A URL; empty where nobody takes requests."""
    note: str = ""


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
    folded = diagnostic.lower()
    for blocklist, marks in _table():
        if any(mark in folded for mark in marks):
            return blocklist
    zone = _ZONE.search(diagnostic)
    return Blocklist(zone[1].lower() if zone else "", UNKNOWN_REMOVAL)


def hits(refusals: Iterable[tuple[str, int]]) -> tuple[Hit, ...]:
    """The lists named by (server's words, how often), the most frequent first."""
    counts: Counter[Blocklist] = Counter()
    said: dict[Blocklist, str] = {}
    for diagnostic, n in refusals:
        found = named(diagnostic)
        counts[found] += n
        said.setdefault(found, diagnostic)
    return tuple(Hit(each, n, said[each]) for each, n in counts.most_common())


@cache
def _table() -> tuple[tuple[Blocklist, tuple[str, ...]], ...]:
    text = resources.files("bouncemilter.figures").joinpath("blocklists.toml").read_text("utf-8")
    return tuple(
        (Blocklist(row["name"], row["removal"], row.get("note", "")), tuple(row["marks"]))
        for row in tomllib.loads(text)["list"]
    )

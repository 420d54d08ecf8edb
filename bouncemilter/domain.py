"""Registrable domains, by the public suffix list."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from bouncemilter import address

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415  (60 ms, and `classify` alone never needs it)

    return PublicSuffixList()


@lru_cache(maxsize=4096)
def registrable(name: str) -> str:
    """The registrable domain of a host or domain: `mx1.poczta.wp.pl` → `wp.pl`; the name itself where it has none."""
    key = address.domain_key(name)
    return _suffixes().privatesuffix(key) or key


def is_public_suffix(name: str) -> bool:
    """Whether anybody can register a domain below `name`: `com.pl`, `co.uk`."""
    return _suffixes().privatesuffix(address.domain_key(name)) is None


def has_known_suffix(name: str) -> bool:
    """Whether the public suffix list knows what a name ends with: not `wp.pll`."""
    return _suffixes().publicsuffix(address.domain_key(name), accept_unknown=False) is not None

"""The keys of signed return paths. Their secrets show in no repr."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bouncemilter.returnpath.layout import KEY_BITS

IDS: Final = 1 << KEY_BITS
"""Key ids are 0 to 15; ids of keys long gone are used again."""
SECRET_OCTETS: Final = 32
LIVE: Final = 2
"""Keys at a time: the one that signs, and the one before it, whose tokens are still on their way back."""


@dataclass(frozen=True, slots=True)
class Key:
    """One secret."""

    id: int
    """0 to 15; it stands in each token."""
    created: dt.datetime
    """The newest key signs."""
    secret: bytes = field(repr=False)
    """32 octets."""

    def __post_init__(self) -> None:
        if not 0 <= self.id < IDS:
            raise ValueError(f"a key's id is 0 to {IDS - 1}")
        if self.created.tzinfo is None:
            raise ValueError("a key's date has a time zone")
        if len(self.secret) != SECRET_OCTETS:
            raise ValueError(f"a key's secret has {SECRET_OCTETS} octets")


class KeyRing:
    """The live keys of one return path: one or two. The newest signs, all verify."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = tuple(sorted(keys, key=lambda each: each.created, reverse=True))
        if not 1 <= len(self._keys) <= LIVE:
            raise ValueError(f"one or two keys are needed, not {len(self._keys) or 'none'}")
        if len({key.id for key in self._keys}) != len(self._keys):
            raise ValueError(f"two keys have the id {self._keys[0].id}")
        if len({key.created for key in self._keys}) != len(self._keys):
            raise ValueError("two keys have the same date: which one signs?")

    @property
    def keys(self) -> tuple[Key, ...]:
        """The live keys, newest first."""
        return self._keys

    @property
    def signing(self) -> Key:
        """The newest key."""
        return self._keys[0]

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(f'{key.id} of {key.created:%Y-%m-%d}' for key in self._keys)})"

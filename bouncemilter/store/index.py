"""Which addresses are suppressed, in memory: eight octets each, looked up within microseconds from any thread.

An address is its 64-bit `hash()`: SipHash under a key that each process draws anew (PEP 456), so that nobody can make
addresses that collide. The hashes lie in 16,384 sorted arrays by their uppermost bits. An array is never changed but
replaced by a new one: a reader that has taken one needs no lock, and a change copies some 5 kB at ten million
addresses. The lowest bit tells whether the suppression is for all mail; 63 bits are left of the hash, and among ten
million addresses a stranger's is taken for one of them once in 10¹² look-ups.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

PARTS: Final = 1 << 14
_SHIFT: Final = 64 - 14
"""What leaves the part's number, from -8,192 to 8,191: lists count negative places from their end."""
_EVERYWHERE: Final = 1
_NONE: Final[array[int]] = array("q")


class SuppressionIndex:
    """The addresses that have a suppression. Read by any thread, changed by one."""

    def __init__(self) -> None:
        self._parts: list[array[int]] = [_NONE] * PARTS
        self._entries = 0
        self.loaded = False
        """Whether it was ever filled: until then an address that is not in it may be suppressed all the same."""
        self.has_pseudonyms = False
        """Whether addresses that were forgotten may be in it, by their pseudonyms."""
        self.seq = 0
        """The newest change that it knows of."""

    def __len__(self) -> int:
        return self._entries

    def contains(self, address_key: str) -> bool:
        """Whether an address may be suppressed, in any scope; False is certain, once it is loaded."""
        return self._find(address_key) is not None

    def everywhere(self, address_key: str) -> bool:
        """Whether an address may be suppressed in the scope `global`."""
        return bool((self._find(address_key) or 0) & _EVERYWHERE)

    def add(self, address_key: str, *, everywhere: bool) -> None:
        """An address has suppressions; `everywhere`: one of them in the scope `global`."""
        wanted = _entry(address_key, everywhere=everywhere)
        part = self._parts[wanted >> _SHIFT]
        place = bisect_left(part, wanted & ~_EVERYWHERE)
        known = place < len(part) and part[place] | _EVERYWHERE == wanted | _EVERYWHERE
        if known and part[place] == wanted:
            return
        changed = part[:place]
        changed.append(wanted)
        changed.extend(part[place + known :])
        self._parts[wanted >> _SHIFT] = changed
        self._entries += not known

    def remove(self, address_key: str) -> None:
        """An address has no suppression any more."""
        wanted = _entry(address_key)
        part = self._parts[wanted >> _SHIFT]
        place = bisect_left(part, wanted)
        if place < len(part) and part[place] | _EVERYWHERE == wanted | _EVERYWHERE:
            self._parts[wanted >> _SHIFT] = part[:place] + part[place + 1 :]
            self._entries -= 1

    def forget(self) -> None:
        """Know nothing, as at the start. Two contents at a time would take twice the memory."""
        self.loaded = False
        self._parts = [_NONE] * PARTS
        self._entries = 0

    def replace(self, loading: Loading, seq: int) -> None:
        """Take over what was loaded, as of the change `seq` or later."""
        self._parts = loading.parts
        self._entries = loading.entries
        self.seq = seq
        self.loaded = True

    def _find(self, address_key: str) -> int | None:
        wanted = hash(address_key) & ~_EVERYWHERE
        part = self._parts[wanted >> _SHIFT]
        place = bisect_left(part, wanted)
        if place < len(part) and part[place] | _EVERYWHERE == wanted | _EVERYWHERE:
            return part[place]
        return None


class Loading:
    """A new content in the making, beside the one that is in use."""

    def __init__(self) -> None:
        self.parts: list[array[int]] = [array("q") for _ in range(PARTS)]
        self.entries = 0

    def extend(self, rows: Iterable[tuple[str, int]]) -> None:
        """Take up addresses, each once: its key, and 1 if it is suppressed in the scope `global`, else 0."""
        parts = self.parts
        for address_key, everywhere in rows:
            entry = hash(address_key) & ~_EVERYWHERE | everywhere
            parts[entry >> _SHIFT].append(entry)
            self.entries += 1

    def sort(self) -> None:
        """Bring it into order, when it is complete. Takes 2 s for ten million: not on an event loop."""
        for part in self.parts:
            # In place: what another thread allocates lies in a heap of its own, and would come on top of the old.
            if len(part) > 1:
                part[:] = array("q", sorted(part))


def _entry(address_key: str, *, everywhere: bool = False) -> int:
    return hash(address_key) & ~_EVERYWHERE | everywhere

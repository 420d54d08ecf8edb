"""Caps on what a stranger can make us keep or do."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Final

EVENTS_AN_HOUR: Final = 1_000
"""Events of trust `none` that get a row of their own; the rest is counted only."""
EXCERPTS_AN_HOUR: Final = 100
"""Of those, how many keep an excerpt of their text."""
OPT_OUTS_AN_HOUR: Final = 20
"""Requests to be taken off from one SMTP client: anybody can write any From."""


class HourlyCap:
    """Admits `limit` of each key in a clock hour (UTC). Holds one hour's keys, and no more than `keys` of them."""

    def __init__(self, limit: int, keys: int = 10_000) -> None:
        self._limit = limit
        self._keys = keys
        self._hour: dt.datetime | None = None
        self._used: Counter[str] = Counter()

    def admit(self, now: dt.datetime, key: str = "") -> bool:
        """Whether one more of `key` is within the cap; it is counted if so."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour = hour
            self._used.clear()
        if self._used[key] >= self._limit or (key not in self._used and len(self._used) >= self._keys):
            return False
        self._used[key] += 1
        return True

"""Which campaign a returned message belongs to."""

from __future__ import annotations

from collections.abc import Iterable

from bouncemilter.model.sent import NAME_LENGTH
from bouncemilter.returnpath import campaign_hash, written_campaign


class Campaigns:
    """The names of the campaigns that mail was sent for, also by the 24-bit hash that signed return paths carry."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._by_hash = {campaign_hash(name): name for name in self._names}

    def name(self, header: str, return_path: str) -> str:
        """The campaign by a returned header, else by the envelope recipient; `#` and the hash of one that is unknown.

        Empty where neither says anything. Headers such as Feedback-ID have more in them than the name.
        """
        if header:
            whole, first = header[:NAME_LENGTH], header.partition(":")[0]
            return first if first in self._names and whole not in self._names else whole
        written = written_campaign(return_path.rpartition("@")[0])
        if not written:
            return ""
        return self._by_hash.get(written, f"#{written:06x}")

"""The mailing that a list is scrubbed for, and whom it may not go to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bouncemilter import enforcement
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.model import Cause, Scope, Suppression
from bouncemilter.settings import Settings
from bouncemilter.settings.streams import streams
from bouncemilter.store import Store, is_pseudonym
from bouncemilter.stream import Stream, StreamKind

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ID_BITS: Final = 48


@dataclass(frozen=True, slots=True)
class Mailing:
    """What will be sent: enough to know which suppressions reach it."""

    stream: Stream
    sender_domains: tuple[str, ...] = ()
    """A-labels in lower case; any of them may be the sender's."""
    list_id: str = ""

    @classmethod
    def of(cls, settings: Settings, name: str, sender: str, list_id: str) -> Mailing:
        """By the options; without any, bulk mail of nobody and no list. Failure 2: no such stream."""
        stream = Stream("", StreamKind.BULK)
        if name:
            known = {each.name: each for each in streams(settings)}
            if name not in known:
                there = ", ".join(known) or "none"
                raise Failure(f"no [[stream]] is named {name} (there are: {there})", Exit.USAGE)
            stream = known[name]
        return cls(stream, (sender,) if sender else _senders(stream), list_id or stream.list_id)

    def refuses(self, scope: Scope, scope_value: str, cause: Cause) -> bool:
        """Whether the gate refuses the mailing for a suppression of this kind."""
        each = _sample(scope, scope_value, cause)
        return enforcement.honours(self.stream, cause) and any(
            enforcement.applies(each, sender_domain=sender, list_id=self.list_id)
            for sender in self.sender_domains or ("",)
        )


@dataclass(slots=True)
class Refused:
    """The addresses (keys) that the mailing may not go to."""

    entries: dict[str, int] = field(default_factory=dict)
    """The suppression that is told of: its cause's rank and its id, see `number` and `cause`."""
    elsewhere: set[str] = field(default_factory=set)
    """Suppressed, but in no scope that the mailing is known to be in."""
    pseudonym: Callable[[str], str] | None = None
    """What stands above for an address that was forgotten; None where nobody was."""

    @classmethod
    async def load(cls, store: Store, mailing: Mailing) -> Refused:
        """All that are in force now."""
        found, ranks = cls(), {cause: rank for rank, cause in enumerate(_RANKS)}
        judged: dict[tuple[str, str, str], int] = {}
        entries, nobody = found.entries, len(_RANKS)
        async for page in store.roster.entries():
            for number, key, scope, value, cause in page:
                rank = judged.get((scope, value, cause))
                if rank is None:
                    refused = mailing.refuses(Scope(scope), value, Cause(cause))
                    rank = judged[scope, value, cause] = ranks[Cause(cause)] if refused else nobody
                if found.pseudonym is None and is_pseudonym(key):
                    found.pseudonym = store.pseudonym
                if rank == nobody:
                    found.elsewhere.add(key)
                else:
                    entry = rank << _ID_BITS | number
                    entries[key] = min(entries.get(key, entry), entry)
        found.elsewhere -= entries.keys()
        return found


def number(entry: int) -> int:
    """The id of the suppression that is told of."""
    return entry & (1 << _ID_BITS) - 1


def cause(entry: int) -> Cause:
    """Its cause."""
    return _RANKS[entry >> _ID_BITS]


def _senders(stream: Stream) -> tuple[str, ...]:
    """The domains that a stream's mail comes from, as far as the configuration says."""
    match = stream.match
    named = match.sender_domain or tuple(each.rpartition("@")[2] for each in match.sender)
    return named or (stream.return_path.sender_domains if stream.return_path else ())


def _sample(scope: Scope, scope_value: str, cause: Cause) -> Suppression:
    """A suppression of a kind, for those who look at nothing else."""
    return Suppression(0, "", "", scope, scope_value, cause, _EPOCH, None, "")


def _ranked() -> tuple[Cause, ...]:
    """The causes in the order in which enforcement tells of them."""
    left, found = [_sample(Scope.GLOBAL, "", each) for each in Cause], []
    while first := enforcement.strongest(left):
        found.append(first.cause)
        left.remove(first)
    return tuple(found)


_RANKS: Final = _ranked()

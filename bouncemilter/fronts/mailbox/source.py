"""What every kind of mailbox offers. All of it blocks, and is called from one thread."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from bouncemilter.fronts.mailbox.fault import MailboxError


class MessageRef(NamedTuple):
    """A message that lies in a mailbox."""

    key: str
    """Names it for as long as it lies there (UID, UIDL, file name)."""
    handle: int | str
    """How the mailbox itself finds it."""
    at: dt.datetime | None = None
    """When it came, UTC, where the list tells."""


class StoredMessage(NamedTuple):
    """A message that was read."""

    head: bytes
    """Its first limits.KEPT_BYTES octets."""
    size: int
    """Octets of all of it, as far as they were counted: more than `head` has if that was cut."""
    at: dt.datetime | None
    """When the mailbox got it, UTC, where it tells."""


class Source(Protocol):
    """A mailbox. Every method may raise MailboxError."""

    def open(self) -> str:
        """Make ready to read; what names this generation of its keys (UIDVALIDITY), or nothing."""
        ...

    def items(self, beyond: str) -> Iterator[MessageRef]:
        """The messages, oldest first where that is known; those up to the key `beyond` may be left out."""
        ...

    def read(self, items: Sequence[MessageRef]) -> Sequence[StoredMessage | MailboxError | None]:
        """Their first octets, in order; None for one that is not there any more, an error for one that can't be read.

        Changes nothing.
        """
        ...

    def consume(self, items: Sequence[MessageRef]) -> int:
        """Move or delete messages, as the options say; how many."""
        ...

    def close(self) -> None:
        """Let go of it in order: what was deleted is gone after it."""
        ...

    def abort(self) -> None:
        """Let go of it at once, from any thread. Never raises."""
        ...

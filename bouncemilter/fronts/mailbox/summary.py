"""What a pass through a mailbox came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from bouncemilter.model import Category, Kind


class MessageOutcome(StrEnum):
    """What became of one message that was read."""

    RECOGNISED = "recognised"
    """A return of ours, on disk now."""
    KNOWN = "known"
    """A return of ours that the store had already."""
    LEFT = "left"
    """A person's mail, a report, a challenge; or what `also_pass` or the preset passes on."""
    UNTIED = "untied"
    """A return that can't be tied to mail of ours, in a mailbox that is read by its own address alone."""
    NOT_OURS = "not_ours"
    """It came to no address of ours."""
    TOO_OLD = "too_old"
    """Older than was asked for."""
    FAILED = "failed"
    """It could not be recorded; it is tried again."""
    VANISHED = "vanished"
    """Gone before it could be read."""


CONSUMED = (MessageOutcome.RECOGNISED, MessageOutcome.KNOWN)
"""What may be moved or deleted."""


@dataclass(slots=True)
class Summary:
    """Counts of one pass."""

    mailbox: str
    listed: int = 0
    """Messages that lie there, as far as they were listed."""
    seen_before: int = 0
    """Those among them that an earlier pass has settled."""
    outcomes: Counter[MessageOutcome] = field(default_factory=Counter)
    kinds: Counter[Kind] = field(default_factory=Counter)
    """Of the recognised, known, untied and left ones."""
    categories: Counter[Category] = field(default_factory=Counter)
    """Of the failures that are new to the store; in a dry run of all."""
    suppressed: int = 0
    """Addresses that were suppressed by it."""
    moved: int = 0
    deleted: int = 0
    complete: bool = False
    """Whether the pass came to the end of the mailbox."""
    error: str = ""
    """Why it did not."""

    @property
    def read(self) -> int:
        """Messages that were looked at."""
        return self.outcomes.total()

    def to_dict(self) -> dict[str, object]:
        """For JSON: every outcome, the kinds and categories that there were."""
        return {
            "mailbox": self.mailbox,
            "listed": self.listed,
            "seen_before": self.seen_before,
            "read": self.read,
            **{outcome.value: self.outcomes[outcome] for outcome in MessageOutcome},
            "kinds": {kind.value: n for kind, n in sorted(self.kinds.items())},
            "categories": {category.value: n for category, n in sorted(self.categories.items())},
            "suppressed": self.suppressed,
            "moved": self.moved,
            "deleted": self.deleted,
            "complete": self.complete,
            "error": self.error,
        }

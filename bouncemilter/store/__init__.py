"""Events, suppressions and counts on disk."""

from bouncemilter.store.errors import BadRow, Refusal, StoreError, StoreRefused, StoreUnavailable
from bouncemilter.store.follower import Follower
from bouncemilter.store.incidents import Undecided
from bouncemilter.store.index import SuppressionIndex
from bouncemilter.store.lookup import Suppressions
from bouncemilter.store.queries import Filter
from bouncemilter.store.recording import Entry, Recorded, Tally
from bouncemilter.store.retention import Purged, Retention
from bouncemilter.store.rows import Change, DailyCount, Operation, StoredEvent, Unmatched, Watched
from bouncemilter.store.store import Store

__all__ = [
    "BadRow",
    "Change",
    "DailyCount",
    "Entry",
    "Filter",
    "Follower",
    "Operation",
    "Purged",
    "Recorded",
    "Refusal",
    "Retention",
    "Store",
    "StoreError",
    "StoreRefused",
    "StoreUnavailable",
    "StoredEvent",
    "SuppressionIndex",
    "Suppressions",
    "Tally",
    "Undecided",
    "Unmatched",
    "Watched",
]

"""Events, suppressions and counts on disk."""

from bouncemilter.store.cursors import Cursors, Told
from bouncemilter.store.erasure import Forgotten
from bouncemilter.store.errors import BadFile, BadRow, StoreError, StoreFault, StoreRefused, StoreUnavailable
from bouncemilter.store.filter import Filter, State
from bouncemilter.store.follower import Follower
from bouncemilter.store.imports import Batch, Beside, Imports, NoSuchBatchError, Progress, Row
from bouncemilter.store.incidents import NamedFailures, Undecided
from bouncemilter.store.index import SuppressionIndex
from bouncemilter.store.lookup import Suppressions
from bouncemilter.store.pseudonym import is_pseudonym
from bouncemilter.store.recording import Entry, Recorded, Tally
from bouncemilter.store.retention import Purged, Retention
from bouncemilter.store.roster import RefusedAddresses
from bouncemilter.store.rows import Change, DailyCount, Operation, StoredEvent, Unmatched, Watched
from bouncemilter.store.store import Store

__all__ = [
    "BadFile",
    "BadRow",
    "Batch",
    "Beside",
    "Change",
    "Cursors",
    "DailyCount",
    "Entry",
    "Filter",
    "Follower",
    "Forgotten",
    "Imports",
    "NamedFailures",
    "NoSuchBatchError",
    "Operation",
    "Progress",
    "Purged",
    "Recorded",
    "RefusedAddresses",
    "Retention",
    "Row",
    "State",
    "Store",
    "StoreError",
    "StoreFault",
    "StoreRefused",
    "StoreUnavailable",
    "StoredEvent",
    "SuppressionIndex",
    "Suppressions",
    "Tally",
    "Told",
    "Undecided",
    "Unmatched",
    "Watched",
    "is_pseudonym",
]

"""What the store raises."""

from __future__ import annotations

from enum import StrEnum


class StoreError(Exception):
    """Anything that the store raises of its own."""


class StoreUnavailable(StoreError):  # noqa: N818  (a state, not a mistake)
    """Temporary: locked, full, read-only, unreachable, overloaded or closed. What was to be written was not."""


class BadRow(StoreError):  # noqa: N818  (as above)
    """The database does not take this value, now or later; only the call that brought it fails."""


class StoreFault(StrEnum):
    """Why a store is not opened."""

    UNREACHABLE = "unreachable"
    """The path or URL cannot be used: no folder, no permission, a wrong scheme."""
    NOT_A_DATABASE = "not_a_database"
    FOREIGN = "foreign"
    """A database of another program (another application_id)."""
    CORRUPT = "corrupt"
    NEWER = "newer"
    """Written by a newer bouncemilter."""
    NOT_UPGRADED = "not_upgraded"
    """A migration failed and was rolled back."""


class StoreRefused(StoreError):  # noqa: N818  (as above)
    """Permanent until an operator acts: the daemon exits with 78 (EX_CONFIG). Nothing was changed on disk."""

    def __init__(self, fault: StoreFault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


class BadFile(StoreError):  # noqa: N818  (as above)
    """A file that was given for a store can't be read, written or used as one; the text names it."""

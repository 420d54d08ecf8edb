"""What is seen of this host at one moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from bouncemilter.model import Incident
from bouncemilter.statistics.blocklists import Hit

RECENT: Final = dt.timedelta(hours=24)
"""How long errors and refusals are news."""


@dataclass(frozen=True, slots=True)
class Gauges:
    """What is needed of /metrics."""

    store_up: bool = True
    reload_success: bool = True
    index_age: float | None = None
    """Seconds."""
    last_error: dt.datetime | None = None
    """When the log last got a line of the level error."""
    overdue: float | None = None
    """Seconds beyond its interval that the mailbox which has waited longest was not read."""
    open_balances: tuple[str, ...] = ()
    """The fronts whose balances don't close."""


@dataclass(frozen=True, slots=True)
class KeyAge:
    """The key that signs a return path."""

    path: str
    """The return path."""
    created: dt.datetime | None
    """None where the file can't be read."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still well."""

    disk_percent: int = 10
    """So much of the disk must be free."""
    key_days: int = 180
    """So old the signing key may be."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was seen."""

    at: dt.datetime
    ready: bool | None = None
    """What /readyz says; None where it does not answer."""
    silent: str = ""
    """Where it was asked in vain; empty where it answers, or need not."""
    obstacles: tuple[str, ...] = ()
    """Why it is not ready."""
    heartbeat: dt.datetime | None = None
    """When a daemon last wrote the store."""
    store_error: str = ""
    """Why the store can't be used; empty where it can."""
    gauges: Gauges | None = None
    """None where /metrics does not answer."""
    last_bounce: dt.datetime | None = None
    incidents: tuple[Incident, ...] = ()
    """Those that are open."""
    hits: tuple[Hit, ...] = ()
    """Blocklists that servers named within RECENT."""
    too_big: int = 0
    """Messages refused for their size within RECENT."""
    disk_free: int = 0
    """Octets."""
    disk_size: int = 0
    """Octets; 0 where it is not known."""
    keys: tuple[KeyAge, ...] = ()
    passed: int | None = None
    """Mails in the Maildir of passed mail; None where it may not be read."""

"""What of the host's state is worth a mail now: each thing once, as long as it lasts."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from bouncemilter.health.findings import HealthFinding
from bouncemilter.health.subject import Subject

GAP: Final = dt.timedelta(hours=1)
"""Between two mails of a kind."""
MAILS_A_DAY: Final = 20
"""By UTC days, the digest among them. One of them is kept for each kind that had none that day, so that what comes and
goes all day long can't use up the mail about an incident."""
CALM: Final = dt.timedelta(hours=1)
"""So long something must be well before it is told again: a disk at its limit is now above it, now below."""
FIRST_RETRY: Final = dt.timedelta(minutes=1)
LAST_RETRY: Final = dt.timedelta(hours=1)
"""What could not be sent is tried again after a minute, then after twice as long each time, up to this."""
STORE_BOUND: Final = frozenset({Subject.INCIDENTS, Subject.BLOCKLISTS})
"""What only the store knows: while it is down, nothing has ended."""
CLOCK_ERROR: Final = dt.timedelta(minutes=5)
"""What was noted for later than this from now on was noted while the clock was wrong."""


class AlertKind(StrEnum):
    """What a mail is about."""

    INCIDENT = "incident"
    BLOCKLISTED = "blocklisted"
    BALANCE = "balance"
    STORE_DOWN = "store_down"
    STORE_RECOVERED = "store_recovered"
    DISK_LOW = "disk_low"
    KEY_AGE = "key_age"
    UNREAD = "unread"
    """Mails of people lie in the Maildir of passed mail."""
    MAILBOX = "mailbox"
    """A [[mailbox]] can't be read."""
    DIGEST = "digest"


class AlertResult(StrEnum):
    """What became of it."""

    SENT = "sent"
    FAILED = "failed"
    """The mail server did not take it; it is tried again."""
    HELD = "held"
    """Too many mails of the kind, or of the day: it is told with the next one."""


KIND_OF: Final = {
    Subject.INCIDENTS: AlertKind.INCIDENT,
    Subject.BLOCKLISTS: AlertKind.BLOCKLISTED,
    Subject.BALANCES: AlertKind.BALANCE,
    Subject.STORE: AlertKind.STORE_DOWN,
    Subject.DISK: AlertKind.DISK_LOW,
    Subject.KEYS: AlertKind.KEY_AGE,
    Subject.PASSED_MAIL: AlertKind.UNREAD,
    Subject.MAILBOXES: AlertKind.MAILBOX,
}


@dataclass(frozen=True, slots=True)
class Alert:
    """One mail."""

    kind: AlertKind
    findings: tuple[HealthFinding, ...]
    keys: frozenset[str] = frozenset()
    """What it tells of."""


@dataclass(frozen=True, slots=True)
class Retry:
    """A kind whose last mail was not taken."""

    failures: int
    """In a row."""
    at: dt.datetime
    """When it is tried again."""


@dataclass(slots=True)
class AlertState:
    """What has been told; kept over restarts, but for what was not taken."""

    told: set[str] = field(default_factory=set)
    """Keys of what lasts and was told."""
    well_since: dict[str, dt.datetime] = field(default_factory=dict)
    """Those of them that have been well since then."""
    last: dict[str, dt.datetime] = field(default_factory=dict)
    """By kind: when the last mail was sent."""
    day: dt.date = dt.date.min
    mails: int = 0
    """Sent on that UTC day."""
    digest: dt.date = dt.date.min
    """The day of the last digest, in the settings' time zone."""
    retries: dict[AlertKind, Retry] = field(default_factory=dict)
    doubted: set[str] = field(default_factory=set)
    """Balances that were open at the last look: one look may fall between two counts."""

    def due(self, findings: Iterable[HealthFinding], now: dt.datetime) -> Iterator[Alert]:
        """What is to be told, one mail for each kind. What has ended for long enough is forgotten, so that it is told
        when it comes again.
        """
        found = list(findings)
        standing = {_key(each): each for each in found if each.subject in KIND_OF and not each.well}
        new = self._new(standing)
        self._forget(self._ended(standing, now))
        if _STORE in self.told and _STORE not in standing:
            up = tuple(each for each in found if each.subject is Subject.STORE)
            yield Alert(AlertKind.STORE_RECOVERED, up, frozenset({_STORE}))
        by_kind: defaultdict[AlertKind, dict[str, HealthFinding]] = defaultdict(dict)
        for key, each in new.items():
            by_kind[KIND_OF[each.subject]][key] = each
        for kind, members in by_kind.items():
            yield Alert(kind, tuple(members.values()), frozenset(members))

    def _new(self, standing: dict[str, HealthFinding]) -> dict[str, HealthFinding]:
        open_balances = {key for key in standing if _subject(key) == Subject.BALANCES}
        doubtful, self.doubted = open_balances - self.doubted, open_balances
        return {key: each for key, each in standing.items() if key not in self.told and key not in doubtful}

    def _ended(self, standing: dict[str, HealthFinding], now: dt.datetime) -> set[str]:
        """What was told and has been well for CALM; the store, whose return is told, is not among them."""
        blind = _STORE in standing
        well = {key for key in self.told - standing.keys() if not (blind and _subject(key) in STORE_BOUND)} - {_STORE}
        self.well_since = {key: min(self.well_since.get(key, now), now) for key in well}
        return {key for key, since in self.well_since.items() if now - since >= CALM}

    def _forget(self, keys: set[str]) -> None:
        self.told -= keys
        for key in keys:
            self.well_since.pop(key, None)

    def admits(self, kind: AlertKind, now: dt.datetime) -> bool:
        """Whether a mail of the kind may be sent; a digest is not held back by the others."""
        if self.day != now.date():
            self.day, self.mails = now.date(), 0
        if kind is AlertKind.DIGEST:
            return True
        last = self.last.get(kind)
        if last is not None and -CLOCK_ERROR <= now - last < GAP:
            return False
        without = {each for each in AlertKind if each not in self.last or self.last[each].date() != now.date()}
        return self.mails + len(without - {kind}) < MAILS_A_DAY

    def digest_due(self, today: dt.date) -> bool:
        """Whether that day, which the zone has now, still has to get its digest.

        The clock may go back over midnight, and the zone be set to another; a digest of a day further ahead was
        noted while the clock was wrong.
        """
        return not today <= self.digest <= today + dt.timedelta(days=1)

    def waits(self, kind: AlertKind, now: dt.datetime) -> bool:
        """Whether the last mail of the kind was not taken, and it is too early for the next try."""
        retry = self.retries.get(kind)
        return retry is not None and now < retry.at <= now + LAST_RETRY + CLOCK_ERROR

    def sent(self, alert: Alert, now: dt.datetime) -> None:
        """Note that it was."""
        self.retries.pop(alert.kind, None)
        self.last[alert.kind] = now
        self.mails += 1
        if alert.kind is AlertKind.STORE_RECOVERED:
            self._forget(set(alert.keys))
        else:
            self.told |= alert.keys

    def failed(self, kind: AlertKind, now: dt.datetime) -> None:
        """Note that it could not be sent."""
        failures = self.retries[kind].failures if kind in self.retries else 0
        self.retries[kind] = Retry(failures + 1, now + min(FIRST_RETRY * 2 ** min(failures, 10), LAST_RETRY))

    def to_dict(self) -> dict[str, Any]:
        """What is kept over restarts, as JSON has it."""
        return {
            "told": sorted(self.told),
            "well_since": {key: at.isoformat() for key, at in sorted(self.well_since.items())},
            "last": {kind: at.isoformat() for kind, at in self.last.items()},
            "day": self.day.isoformat(),
            "mails": self.mails,
            "digest": self.digest.isoformat(),
        }

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> AlertState:
        """The other way. Raises KeyError, TypeError, ValueError or AttributeError where it is nothing of ours."""
        return cls(
            told=set(kept["told"]),
            well_since=_times(kept.get("well_since", {})),
            last=_times(kept["last"]),
            day=dt.date.fromisoformat(kept["day"]),
            mails=int(kept["mails"]),
            digest=dt.date.fromisoformat(kept["digest"]),
        )


_STORE: Final = f"{Subject.STORE}:"


def _key(finding: HealthFinding) -> str:
    return f"{finding.subject}:{finding.detail}"


def _times(kept: dict[str, str]) -> dict[str, dt.datetime]:
    found = {str(key): dt.datetime.fromisoformat(at) for key, at in kept.items()}
    if any(at.tzinfo is None for at in found.values()):
        raise ValueError("a time without its zone")
    return found


def _subject(key: str) -> str:
    return key.partition(":")[0]

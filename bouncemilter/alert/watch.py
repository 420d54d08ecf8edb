"""What of the host's state is worth a mail now: each thing once, as long as it lasts."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from bouncemilter.figures.health import Finding, Subject

GAP: Final = dt.timedelta(hours=1)
"""Between two mails of a kind."""
MAILS_A_DAY: Final = 20
"""By UTC days, the digest among them."""
FIRST_RETRY: Final = dt.timedelta(minutes=1)
LAST_RETRY: Final = dt.timedelta(hours=1)
"""What could not be sent is tried again after a minute, then after twice as long each time, up to this."""
STORE_BOUND: Final = frozenset({Subject.INCIDENTS, Subject.BLOCKLISTS})
"""What only the store knows: while it is down, nothing has ended."""


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


class Outcome(StrEnum):
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
    findings: tuple[Finding, ...]
    keys: frozenset[str] = frozenset()
    """What it tells of."""


@dataclass(slots=True)
class Memory:
    """What has been told; kept over restarts."""

    told: set[str] = field(default_factory=set)
    """Keys of what lasts and was told."""
    last: dict[str, dt.datetime] = field(default_factory=dict)
    """By kind: when the last mail was sent."""
    day: dt.date = dt.date.min
    mails: int = 0
    """Sent on that UTC day."""
    digest: dt.date = dt.date.min
    """The day of the last digest, in the settings' time zone."""
    failures: int = 0
    """In a row."""
    retry_at: dt.datetime | None = None
    doubted: set[str] = field(default_factory=set)
    """Balances that were open at the last look: one look may fall between two counts."""

    def due(self, findings: Iterable[Finding]) -> Iterator[Alert]:
        """What is to be told, one mail for each kind. What has ended is forgotten, so that it is told when it comes
        again.
        """
        found = list(findings)
        standing: dict[str, Finding] = {}
        for each in found:
            if each.subject in KIND_OF and not each.well:
                standing[f"{each.subject}:{each.detail}"] = each
        blind = f"{Subject.STORE}:" in standing
        open_balances = {key for key in standing if key.startswith(f"{Subject.BALANCES}:")}
        new = {key: each for key, each in standing.items() if key not in self.told}
        for key in open_balances - self.doubted:
            new.pop(key, None)
        self.doubted = open_balances
        ended = {key for key in self.told - standing.keys() if not (blind and _subject(key) in STORE_BOUND)}
        if f"{Subject.STORE}:" in ended:
            up = tuple(each for each in found if each.subject is Subject.STORE)
            yield Alert(AlertKind.STORE_RECOVERED, up, frozenset({f"{Subject.STORE}:"}))
            ended.discard(f"{Subject.STORE}:")
        self.told -= ended
        by_kind: defaultdict[AlertKind, dict[str, Finding]] = defaultdict(dict)
        for key, each in new.items():
            by_kind[KIND_OF[each.subject]][key] = each
        for kind, members in by_kind.items():
            yield Alert(kind, tuple(members.values()), frozenset(members))

    def admits(self, kind: AlertKind, now: dt.datetime) -> bool:
        """Whether a mail of the kind may be sent; a digest is not held back by the others."""
        if self.day != now.date():
            self.day, self.mails = now.date(), 0
        last = self.last.get(kind)
        if kind is AlertKind.DIGEST:
            return True
        return self.mails < MAILS_A_DAY and (last is None or now - last >= GAP)

    def waits(self, now: dt.datetime) -> bool:
        """Whether the mail server did not take the last one, and it is too early for the next try."""
        return self.retry_at is not None and now < self.retry_at

    def sent(self, alert: Alert, now: dt.datetime) -> None:
        """Note that it was."""
        self.failures, self.retry_at = 0, None
        self.last[alert.kind] = now
        self.mails += 1
        if alert.kind is AlertKind.STORE_RECOVERED:
            self.told -= alert.keys
        else:
            self.told |= alert.keys

    def failed(self, now: dt.datetime) -> None:
        """Note that it could not be sent."""
        self.retry_at = now + min(FIRST_RETRY * 2 ** min(self.failures, 10), LAST_RETRY)
        self.failures += 1

    def to_dict(self) -> dict[str, Any]:
        """What is kept over restarts, as JSON has it."""
        return {
            "told": sorted(self.told),
            "last": {kind: at.isoformat() for kind, at in self.last.items()},
            "day": self.day.isoformat(),
            "mails": self.mails,
            "digest": self.digest.isoformat(),
        }

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Memory:
        """The other way. Raises KeyError, TypeError, ValueError or AttributeError where it is nothing of ours."""
        return cls(
            told=set(kept["told"]),
            last={str(kind): dt.datetime.fromisoformat(at) for kind, at in kept["last"].items()},
            day=dt.date.fromisoformat(kept["day"]),
            mails=int(kept["mails"]),
            digest=dt.date.fromisoformat(kept["digest"]),
        )


def _subject(key: str) -> str:
    return key.partition(":")[0]

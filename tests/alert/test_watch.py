"""When an alert is due: once for each thing, as long as it lasts, and never too many."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from bouncemilter.alert.watch import CALM, GAP, LAST_RETRY, MAILS_A_DAY, Alert, AlertKind, AlertState
from bouncemilter.health.findings import HealthFinding
from bouncemilter.health.subject import Subject

NOON = dt.datetime(2026, 10, 20, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)


def bad(subject: Subject, detail: str = "") -> HealthFinding:
    return HealthFinding(subject, well=False, text="bad", detail=detail)


def good(subject: Subject) -> HealthFinding:
    return HealthFinding(subject, well=True, text="good")


def told(state: AlertState, *findings: HealthFinding, now: dt.datetime = NOON) -> list[tuple[AlertKind, int]]:
    """Kinds, and how many findings each mail has, of the mails that are due; all are sent."""
    found = list(state.due(findings, now))
    for alert in found:
        state.sent(alert, now)
    return [(each.kind, len(each.findings)) for each in found]


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        (Subject.INCIDENTS, AlertKind.INCIDENT),
        (Subject.BLOCKLISTS, AlertKind.BLOCKLISTED),
        (Subject.STORE, AlertKind.STORE_DOWN),
        (Subject.DISK, AlertKind.DISK_LOW),
        (Subject.KEYS, AlertKind.KEY_AGE),
        (Subject.PASSED_MAIL, AlertKind.UNREAD),
        (Subject.MAILBOXES, AlertKind.MAILBOX),
    ],
)
def test_once(subject: Subject, kind: AlertKind) -> None:
    """What lasts is told once; when it has ended for long enough and comes again, it is told again."""
    state = AlertState()
    assert told(state, bad(subject, "7")) == [(kind, 1)]
    assert told(state, bad(subject, "7")) == []
    assert told(state, good(subject)) == told(state, good(subject), now=NOON + CALM) == []
    assert told(state, bad(subject, "7"), now=NOON + CALM) == [(kind, 1)]


def test_at_the_limit() -> None:
    """A disk that is now above its limit, now below, is told once, until it was well for an hour."""
    state, mails = AlertState(), 0
    for minute in range(0, 600, 10):
        found = bad(Subject.DISK) if minute % 20 == 0 else good(Subject.DISK)
        mails += len(told(state, found, now=NOON + minute * MINUTE))
    assert mails == 1
    again = AlertState.from_dict(json.loads(json.dumps(state.to_dict())))
    assert told(again, good(Subject.DISK), now=NOON + 650 * MINUTE) == []
    assert told(again, bad(Subject.DISK), now=NOON + 651 * MINUTE) == [(AlertKind.DISK_LOW, 1)]


def test_together() -> None:
    """What is new of one kind comes in one mail; what was told before is not in it."""
    state = AlertState()
    assert told(state, bad(Subject.INCIDENTS, "7"), bad(Subject.INCIDENTS, "8"), bad(Subject.DISK)) == [
        (AlertKind.INCIDENT, 2),
        (AlertKind.DISK_LOW, 1),
    ]
    assert told(state, bad(Subject.INCIDENTS, "7"), bad(Subject.INCIDENTS, "9")) == [(AlertKind.INCIDENT, 1)]


def test_quiet() -> None:
    """What is well, and what is told by other means, makes no mail."""
    others = [each for each in Subject if each in (Subject.DAEMON, Subject.LAST_ERROR, Subject.CONFIGURATION)]
    assert told(AlertState(), *map(good, Subject), *map(bad, others)) == []


def test_balance() -> None:
    """A balance must be open at two looks: one may fall between two counts."""
    state = AlertState()
    open_ = bad(Subject.BALANCES, "sink")
    assert told(state, open_) == []
    assert told(state, good(Subject.BALANCES)) == []
    assert told(state, open_) == []
    assert told(state, open_) == [(AlertKind.BALANCE, 1)]


def test_recovered() -> None:
    """The store's return is told where its absence was, once; if that mail fails, again."""
    state = AlertState()
    assert told(state, good(Subject.STORE)) == []
    told(state, bad(Subject.STORE))
    assert [each.kind for each in state.due([good(Subject.STORE)], NOON)] == [AlertKind.STORE_RECOVERED]
    assert told(state, good(Subject.STORE)) == [(AlertKind.STORE_RECOVERED, 1)]
    assert told(state, good(Subject.STORE)) == []


def test_blind() -> None:
    """While the store is down nothing says that an incident has ended: it is not told anew afterwards."""
    state = AlertState()
    told(state, bad(Subject.INCIDENTS, "7"), bad(Subject.BLOCKLISTS, "Spamhaus"))
    told(state, bad(Subject.STORE), good(Subject.INCIDENTS), good(Subject.BLOCKLISTS))
    after = told(state, good(Subject.STORE), bad(Subject.INCIDENTS, "7"), bad(Subject.BLOCKLISTS, "Spamhaus"))
    assert after == [(AlertKind.STORE_RECOVERED, 1)]


def test_held_back() -> None:
    """Of one kind at most one an hour, others meanwhile; what was held back comes with the next."""
    state = AlertState()
    assert state.admits(AlertKind.INCIDENT, NOON)
    told(state, bad(Subject.INCIDENTS, "7"))
    assert not state.admits(AlertKind.INCIDENT, NOON + GAP - dt.timedelta(seconds=1))
    assert state.admits(AlertKind.DISK_LOW, NOON)
    assert state.admits(AlertKind.INCIDENT, NOON + GAP)
    assert told(state, bad(Subject.INCIDENTS, "7"), bad(Subject.INCIDENTS, "8"), now=NOON + GAP) == [
        (AlertKind.INCIDENT, 1)
    ]


def test_a_day() -> None:
    """So many mails a UTC day and no more, but for the digest; the next day begins anew."""
    state = AlertState()
    midnight = dt.datetime(2026, 10, 20, tzinfo=dt.UTC)
    sent = 0
    for hour in range(24):
        for kind in AlertKind:
            at = midnight + hour * HOUR
            if (kind is not AlertKind.DIGEST or hour == 7) and state.admits(kind, at):
                state.sent(Alert(kind, ()), at)
                sent += 1
    assert sent == MAILS_A_DAY
    late = midnight + 23 * HOUR
    assert state.admits(AlertKind.DIGEST, late)
    assert not state.admits(AlertKind.INCIDENT, late)
    assert state.admits(AlertKind.INCIDENT, late + HOUR)


def test_one_kind_all_day() -> None:
    """What comes and goes all day long leaves each other kind a mail of that day."""
    state = AlertState()
    midnight = dt.datetime(2026, 10, 20, tzinfo=dt.UTC)
    for hour in range(23):
        if state.admits(AlertKind.BLOCKLISTED, midnight + hour * HOUR):
            state.sent(Alert(AlertKind.BLOCKLISTED, ()), midnight + hour * HOUR)
    late = midnight + 23 * HOUR
    assert not state.admits(AlertKind.BLOCKLISTED, late)
    for kind in AlertKind:
        if kind is not AlertKind.BLOCKLISTED:
            assert state.admits(kind, late), kind
            state.sent(Alert(kind, ()), late)
    assert state.mails == MAILS_A_DAY


def test_retries() -> None:
    """After a failure its kind waits, longer each time and an hour at most, and no other does; a success ends that."""
    state, now, waits = AlertState(), NOON, []
    kind = AlertKind.DISK_LOW
    for _ in range(20):
        state.failed(kind, now)
        retry = state.retries[kind].at
        waits.append(retry - now)
        assert state.waits(kind, now)
        assert not state.waits(AlertKind.INCIDENT, now)
        now = retry
        assert not state.waits(kind, now)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (MINUTE, LAST_RETRY)
    state.sent(Alert(kind, ()), now)
    state.failed(kind, now)
    assert state.retries[kind].at == now + waits[0]


def test_digest() -> None:
    """One a day of the zone, also where the clock goes back over midnight."""
    state, today = AlertState(), NOON.date()
    assert state.digest_due(today)
    state.digest = today
    assert [state.digest_due(today + days * DAY) for days in (-1, 0, 1)] == [False, False, True]


def test_wrong_clock() -> None:
    """What was noted while the clock stood years ahead holds nothing back once it is right."""
    state, ahead = AlertState(), NOON + 4000 * DAY
    told(state, bad(Subject.DISK), bad(Subject.KEYS), now=ahead)
    told(state, good(Subject.DISK), bad(Subject.KEYS), now=ahead)
    state.failed(AlertKind.INCIDENT, ahead)
    state.digest = ahead.date()
    assert state.digest_due(NOON.date())
    assert state.admits(AlertKind.DISK_LOW, NOON)
    assert not state.waits(AlertKind.INCIDENT, NOON)
    assert told(state, good(Subject.DISK), good(Subject.KEYS), now=NOON) == []
    later = NOON + CALM
    told(state, good(Subject.DISK), now=later)
    assert told(state, bad(Subject.DISK), now=later) == [(AlertKind.DISK_LOW, 1)]


def test_restart() -> None:
    """What was told is known after a restart."""
    state = AlertState()
    told(state, bad(Subject.INCIDENTS, "7"))
    state.digest = NOON.date()
    again = AlertState.from_dict(json.loads(json.dumps(state.to_dict())))
    assert told(again, bad(Subject.INCIDENTS, "7")) == []
    assert not again.admits(AlertKind.INCIDENT, NOON)
    assert (again.digest, again.mails) == (NOON.date(), 0)

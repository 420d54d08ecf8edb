"""What of a snapshot is well, and what needs somebody's attention."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bouncemilter.classify.advice import advice
from bouncemilter.health import words
from bouncemilter.health.snapshot import RECENT, Gauges, Limits, Snapshot
from bouncemilter.health.subject import Subject
from bouncemilter.language import Language
from bouncemilter.model import Category
from bouncemilter.statistics.blocklists import UNKNOWN_REMOVAL, Blocklist

SILENT: Final = dt.timedelta(seconds=60)
"""A daemon writes its heartbeat every 5 seconds; after so long without one there is none."""
STALE_SECONDS: Final = 60.0
"""The suppressions in memory are brought up to date four times a second."""
OVERDUE_SECONDS: Final = 2700.0
"""A mailbox that was not read for so long beyond its interval: with the usual 15 minutes that is an hour."""
QUOTED: Final = 200
"""Characters of a server's words."""
_LINK: Final = re.compile(r"(?<=:)//|(?<=www)\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """One line of the status."""

    subject: Subject
    well: bool
    text: str
    detail: str = ""
    """What tells one case of it from another, for alerts: a front, a list, a path."""


def examine(seen: Snapshot, limits: Limits, language: Language = Language.EN) -> tuple[HealthFinding, ...]:
    """Every line, in the order of Subject; a subject may have several, and what can't be known has none."""
    return (
        _daemon(seen, language),
        _store(seen, language),
        *(_by_gauges(seen.gauges, seen.at, language) if seen.gauges else ()),
        *(() if seen.store_error else _by_store(seen, language)),
        _disk(seen, limits, language),
        *_keys(seen, limits, language),
        _passed(seen, language),
    )


def _daemon(seen: Snapshot, language: Language) -> HealthFinding:
    if seen.ready:
        return HealthFinding(Subject.DAEMON, well=True, text=words.TAKES_MAIL.in_(language))
    if seen.ready is False:
        why = ", ".join(seen.obstacles)
        return HealthFinding(Subject.DAEMON, well=False, text=words.TAKES_NO_MAIL.in_(language, why))
    if seen.heartbeat and seen.at - seen.heartbeat < SILENT:
        silent = words.SILENT.in_(language, seen.silent) if seen.silent else ""
        return HealthFinding(Subject.DAEMON, well=not silent, text=f"{words.ALIVE.in_(language)}{silent}")
    last = _minute(seen.heartbeat) if seen.heartbeat else words.NEVER.in_(language)
    if seen.store_error:
        last = words.LIFE_NOT_KNOWN.in_(language)
    return HealthFinding(Subject.DAEMON, well=False, text=words.DOES_NOT_RUN.in_(language, last))


def _store(seen: Snapshot, language: Language) -> HealthFinding:
    if seen.store_error:
        text = words.STORE_UNUSABLE.in_(language, seen.store_error)
        return HealthFinding(Subject.STORE, well=False, text=text)
    if seen.gauges and not seen.gauges.store_up:
        return HealthFinding(Subject.STORE, well=False, text=words.STORE_READ_ONLY.in_(language))
    return HealthFinding(Subject.STORE, well=True, text=words.STORE_UP.in_(language))


def _by_gauges(found: Gauges, at: dt.datetime, language: Language) -> Iterator[HealthFinding]:
    if not found.reload_success:
        yield HealthFinding(Subject.CONFIGURATION, well=False, text=words.RELOAD_REFUSED.in_(language))
    yield _last_error(found, at, language)
    if found.index_age is not None:
        text = words.IN_MEMORY.in_(language, words.decimal(found.index_age, language))
        yield HealthFinding(Subject.SUPPRESSIONS, well=found.index_age < STALE_SECONDS, text=text)
    yield from _balances(found, language)
    if found.overdue and found.overdue > OVERDUE_SECONDS:
        text = words.MAILBOX_OVERDUE.in_(language, int(found.overdue // 60))
        yield HealthFinding(Subject.MAILBOXES, well=False, text=text)


def _last_error(found: Gauges, at: dt.datetime, language: Language) -> HealthFinding:
    if found.last_error is None:
        return HealthFinding(Subject.LAST_ERROR, well=True, text=words.NO_ERROR.in_(language))
    text = f"{_minute(found.last_error)}: journalctl -u bouncemilter -o cat | grep '\"error\"'"
    return HealthFinding(Subject.LAST_ERROR, well=at - found.last_error > RECENT, text=text)


def _balances(found: Gauges, language: Language) -> Iterator[HealthFinding]:
    for front in found.open_balances:
        text = words.BALANCE_OPEN.in_(language, front)
        yield HealthFinding(Subject.BALANCES, well=False, text=text, detail=front)
    if not found.open_balances:
        yield HealthFinding(Subject.BALANCES, well=True, text=words.BALANCES_CLOSE.in_(language))


def _by_store(seen: Snapshot, language: Language) -> Iterator[HealthFinding]:
    last = _minute(seen.last_bounce) if seen.last_bounce else words.NO_BOUNCE.in_(language)
    yield HealthFinding(Subject.LAST_BOUNCE, well=True, text=last)
    yield from _incidents(seen, language)
    yield from _blocklists(seen, language)
    if seen.too_big:
        told = advice(Category.MESSAGE_TOO_BIG, language)
        yield HealthFinding(Subject.SIZE, well=True, text=f"{seen.too_big} × {told.meaning} {told.action}")


def _incidents(seen: Snapshot, language: Language) -> Iterator[HealthFinding]:
    for each in seen.incidents:
        what = " ".join(str(part) for part in (each.domain, each.category, _quoted(each.template)) if part) or each.kind
        text = words.INCIDENT.in_(language, id=each.id, what=what, events=each.events, pending=each.pending)
        yield HealthFinding(Subject.INCIDENTS, well=False, text=text, detail=str(each.id))
    if not seen.incidents:
        yield HealthFinding(Subject.INCIDENTS, well=True, text=words.NO_INCIDENT.in_(language))


def _quoted(said: str) -> str:
    """A server's own words as such: cut, and with no link that a mail program would offer to open."""
    if not said:
        return ""
    cut = said if len(said) <= QUOTED else f"{said[: QUOTED - 1]}…"
    return f'"{_LINK.sub(" ", cut)}"'


def _blocklists(seen: Snapshot, language: Language) -> Iterator[HealthFinding]:
    for each in seen.hits:
        name = each.blocklist.name or words.A_BLOCKLIST.in_(language)
        text = words.REFUSALS.in_(language, name, each.n, _way_off(each.blocklist, language))
        yield HealthFinding(Subject.BLOCKLISTS, well=False, text=text, detail=each.blocklist.name)
    if not seen.hits:
        yield HealthFinding(Subject.BLOCKLISTS, well=True, text=words.NO_REFUSAL.in_(language))


def _way_off(blocklist: Blocklist, language: Language) -> str:
    if not blocklist.removal:
        note = blocklist.note(language)
        return words.MEND.in_(language, note) if blocklist.provider else note
    ask = words.LOOK_UP if blocklist.removal == UNKNOWN_REMOVAL else words.ASK_FOR_REMOVAL
    return words.MEND.in_(language, ask.in_(language, blocklist.removal))


def _disk(seen: Snapshot, limits: Limits, language: Language) -> HealthFinding:
    if not seen.disk_size:
        return HealthFinding(Subject.DISK, well=True, text=words.DISK_NOT_KNOWN.in_(language))
    share = seen.disk_free * 100 / seen.disk_size
    free = words.DISK_FREE.in_(language, words.decimal(seen.disk_free / 2**30, language), f"{share:.0f}")
    return HealthFinding(Subject.DISK, share >= limits.disk_percent, free)


def _keys(seen: Snapshot, limits: Limits, language: Language) -> Iterator[HealthFinding]:
    for each in seen.keys:
        if each.created is None:
            text = words.KEY_UNREADABLE.in_(language, each.path)
            yield HealthFinding(Subject.KEYS, well=False, text=text, detail=each.path)
            continue
        days = (seen.at - each.created).days
        well = days <= limits.key_days
        text = words.KEY_AGE.in_(language, each.path, days)
        if not well:
            text += "; bouncemilter returnpath rotate"
        yield HealthFinding(Subject.KEYS, well, text, detail=each.path)


def _passed(seen: Snapshot, language: Language) -> HealthFinding:
    if seen.passed is None:
        return HealthFinding(Subject.PASSED_MAIL, well=False, text=words.PASSED_NOT_KNOWN.in_(language))
    if not seen.passed:
        return HealthFinding(Subject.PASSED_MAIL, well=True, text=words.NONE_PASSED.in_(language))
    return HealthFinding(Subject.PASSED_MAIL, well=False, text=words.PASSED.in_(language, seen.passed))


def _minute(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"

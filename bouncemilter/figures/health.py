"""How the host fares: what was seen of it, and what of that needs somebody's attention."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from bouncemilter.classify.advice import Language, advice
from bouncemilter.figures.blocklists import UNKNOWN_REMOVAL, Blocklist, Hit
from bouncemilter.model import Category, Incident

SILENT: Final = dt.timedelta(seconds=60)
"""A daemon writes its heartbeat every 5 seconds; after so long without one there is none."""
STALE_SECONDS: Final = 60.0
"""The suppressions in memory are brought up to date four times a second."""
OVERDUE_SECONDS: Final = 2700.0
"""A mailbox that was not read for so long beyond its interval: with the usual 15 minutes that is an hour."""
QUOTED: Final = 200
"""Characters of a server's words."""
_LINK: Final = re.compile(r"(?<=:)//|(?<=www)\.", re.IGNORECASE)
RECENT: Final = dt.timedelta(hours=24)
"""How long errors and refusals are news."""


class Subject(StrEnum):
    """What is looked at."""

    DAEMON = "daemon"
    STORE = "store"
    CONFIGURATION = "configuration"
    LAST_BOUNCE = "last_bounce"
    LAST_ERROR = "last_error"
    SUPPRESSIONS = "suppressions"
    """Those in memory, which outgoing mail is held against."""
    BALANCES = "balances"
    INCIDENTS = "incidents"
    BLOCKLISTS = "blocklists"
    SIZE = "size"
    """Of mailings that were refused for it."""
    DISK = "disk"
    KEYS = "keys"
    PASSED_MAIL = "passed_mail"
    MAILBOXES = "mailboxes"
    """Those of [[mailbox]]."""


class Sample(NamedTuple):
    """One figure of /metrics."""

    name: str
    labels: dict[str, str]
    value: float


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
class Seen:
    """What was seen of the host at one moment."""

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


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the status."""

    subject: Subject
    well: bool
    text: str
    detail: str = ""
    """What tells one case of it from another, for alerts: a front, a list, a path."""


def gauges(samples: Iterable[Sample]) -> Gauges:
    """Of the figures of /metrics."""
    found = list(samples)

    def value(name: str) -> float | None:
        return next((each.value for each in found if each.name == name), None)

    last_error = value("bouncemilter_last_error_timestamp_seconds")
    return Gauges(
        store_up=value("bouncemilter_store_up") != 0,
        reload_success=value("bouncemilter_reload_success") != 0,
        index_age=value("bouncemilter_suppression_index_age_seconds"),
        last_error=dt.datetime.fromtimestamp(last_error, dt.UTC) if last_error else None,
        overdue=value("bouncemilter_mailbox_overdue_seconds"),
        open_balances=tuple(_open_balances(found)),
    )


def _open_balances(samples: list[Sample]) -> Iterator[str]:
    def total(name: str, front: str) -> float:
        return sum(each.value for each in samples if each.name == name and each.labels.get("front") == front)

    received = "bouncemilter_received_total"
    for front in sorted({each.labels["front"] for each in samples if each.name == received}):
        flying = total("bouncemilter_in_flight", front)
        settled = ("bouncemilter_classified_total", "bouncemilter_duplicates_total", "bouncemilter_failed_total")
        accounted = sum(total(name, front) for name in settled) + flying
        disposed = total("bouncemilter_disposed_total", front) + flying
        if not accounted == disposed == total(received, front):
            yield front


def examine(seen: Seen, limits: Limits, language: Language = Language.EN) -> tuple[Finding, ...]:
    """Every line, in the order of Subject; a subject may have several, and what can't be known has none."""
    pick = _Pick(language)
    return (
        _daemon(seen, pick),
        _store(seen, pick),
        *_by_gauges(seen, pick),
        *(() if seen.store_error else _by_store(seen, pick, language)),
        _disk(seen, limits, pick),
        *_keys(seen, limits, pick),
        _passed(seen, pick),
    )


class _Pick:
    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, english: str, polish: str) -> str:
        return polish if self.language is Language.PL else english


def _daemon(seen: Seen, pick: _Pick) -> Finding:
    if seen.ready:
        return Finding(Subject.DAEMON, well=True, text=pick("takes mail", "przyjmuje pocztę"))
    if seen.ready is False:
        why = ", ".join(seen.obstacles)
        return Finding(Subject.DAEMON, well=False, text=pick(f"takes no mail: {why}", f"nie przyjmuje poczty: {why}"))
    if seen.heartbeat and seen.at - seen.heartbeat < SILENT:
        text = pick("alive, by its heartbeat in the store", "działa, według znaku życia w bazie")
        if seen.silent:
            text += pick(
                f", but nothing answers at {seen.silent} (web.address): has it been restarted since that was changed?",
                f", ale pod {seen.silent} (web.address) nic nie odpowiada: czy po zmianie uruchomiono go ponownie?",
            )
        return Finding(Subject.DAEMON, well=not seen.silent, text=text)
    last = f"{seen.heartbeat:%Y-%m-%d %H:%M} UTC" if seen.heartbeat else pick("never", "nigdy")
    if seen.store_error:
        last = pick("not known", "nie wiadomo")
    text = pick(
        f"does not run (last sign of life: {last}): systemctl status bouncemilter",
        f"nie działa (ostatni znak życia: {last}): systemctl status bouncemilter",
    )
    return Finding(Subject.DAEMON, well=False, text=text)


def _store(seen: Seen, pick: _Pick) -> Finding:
    if seen.store_error:
        text = pick(
            f"can't be used: {seen.store_error}; mail waits in the queue",
            f"nie można jej użyć: {seen.store_error}; poczta czeka w kolejce",
        )
        return Finding(Subject.STORE, well=False, text=text)
    if seen.gauges and not seen.gauges.store_up:
        text = pick(
            "can't be written; mail waits in the queue: free disk space? log line store_down",
            "nie można do niej pisać; poczta czeka w kolejce: miejsce na dysku? wpis store_down w logu",
        )
        return Finding(Subject.STORE, well=False, text=text)
    return Finding(Subject.STORE, well=True, text=pick("up", "działa"))


def _by_gauges(seen: Seen, pick: _Pick) -> Iterator[Finding]:
    found = seen.gauges
    if found is None:
        return
    if not found.reload_success:
        text = pick(
            "the last reload was refused, the old one holds: bouncemilter check-config",
            "ostatnie przeładowanie odrzucono, obowiązuje stara: bouncemilter check-config",
        )
        yield Finding(Subject.CONFIGURATION, well=False, text=text)
    if found.last_error:
        when = f"{found.last_error:%Y-%m-%d %H:%M} UTC"
        text = f"{when}: journalctl -u bouncemilter -o cat | grep '\"error\"'"
        yield Finding(Subject.LAST_ERROR, well=seen.at - found.last_error > RECENT, text=text)
    else:
        text = pick("none since the start", "brak od uruchomienia")
        yield Finding(Subject.LAST_ERROR, well=True, text=text)
    if found.index_age is not None:
        age = f"{found.index_age:.1f} s"
        text = pick(f"in memory as they were {age} ago", f"w pamięci według stanu sprzed {age.replace('.', ',')}")
        yield Finding(Subject.SUPPRESSIONS, well=found.index_age < STALE_SECONDS, text=text)
    for front in found.open_balances:
        text = pick(
            f"{front}: mails are not accounted for; a fault of bouncemilter, please report it",
            f"{front}: bilans wiadomości się nie zgadza; to błąd programu bouncemilter, prosimy o zgłoszenie",
        )
        yield Finding(Subject.BALANCES, well=False, text=text, detail=front)
    if found.overdue and found.overdue > OVERDUE_SECONDS:
        minutes = int(found.overdue // 60)
        text = pick(
            f"one is {minutes} min overdue for reading: log line mailbox_failed",
            f"jedna nieodczytana na czas, spóźnienie {minutes} min: wpis mailbox_failed w logu",
        )
        yield Finding(Subject.MAILBOXES, well=False, text=text)
    if not found.open_balances:
        yield Finding(Subject.BALANCES, well=True, text=pick("close", "zgadzają się"))


def _by_store(seen: Seen, pick: _Pick, language: Language) -> Iterator[Finding]:
    yield _last_bounce(seen, pick)
    yield from _incidents(seen, pick)
    yield from _blocklists(seen, pick)
    yield from _size(seen, language)


def _last_bounce(seen: Seen, pick: _Pick) -> Finding:
    text = f"{seen.last_bounce:%Y-%m-%d %H:%M} UTC" if seen.last_bounce else pick("none yet", "jeszcze żaden")
    return Finding(Subject.LAST_BOUNCE, well=True, text=text)


def _incidents(seen: Seen, pick: _Pick) -> Iterator[Finding]:
    for each in seen.incidents:
        what = " ".join(str(part) for part in (each.domain, each.category, _quoted(each.template)) if part) or each.kind
        text = pick(
            f"{each.id}: {what}, failures: {each.events}, addresses pending: {each.pending}: "
            f"bouncemilter incident show {each.id}",
            f"{each.id}: {what}, zwroty: {each.events}, adresy wstrzymane: {each.pending}: "
            f"bouncemilter incident show {each.id}",
        )
        yield Finding(Subject.INCIDENTS, well=False, text=text, detail=str(each.id))
    if not seen.incidents:
        yield Finding(Subject.INCIDENTS, well=True, text=pick("none is open", "żaden nie jest otwarty"))


def _quoted(words: str) -> str:
    """A server's own words as such: cut, and with no link that a mail program would offer to open."""
    if not words:
        return ""
    cut = words if len(words) <= QUOTED else f"{words[: QUOTED - 1]}…"
    return f'"{_LINK.sub(" ", cut)}"'


def _blocklists(seen: Seen, pick: _Pick) -> Iterator[Finding]:
    for each in seen.hits:
        name = each.blocklist.name or pick("a blocklist", "czarna lista")
        text = pick(f"{name}: refusals within 24 hours: {each.n}", f"{name}: odmowy w ciągu 24 godzin: {each.n}")
        todo = _way_off(each.blocklist, pick)
        yield Finding(Subject.BLOCKLISTS, well=False, text=f"{text}; {todo}", detail=each.blocklist.name)
    if not seen.hits:
        text = pick("no refusal within 24 hours", "brak odmów w ciągu 24 godzin")
        yield Finding(Subject.BLOCKLISTS, well=True, text=text)


def _way_off(blocklist: Blocklist, pick: _Pick) -> str:
    mend, note = pick("mend the cause, then", "usuń przyczynę, potem"), blocklist.note(pick.language)
    if blocklist.removal == UNKNOWN_REMOVAL:
        return f"{mend} {pick('look the list up at', 'poszukaj tej listy na stronie')} {blocklist.removal}"
    if blocklist.removal:
        return f"{mend} {pick('ask for removal at', 'poproś o wykreślenie na stronie')} {blocklist.removal}"
    return f"{mend} {note}" if blocklist.provider else note


def _size(seen: Seen, language: Language) -> Iterator[Finding]:
    if seen.too_big:
        told = advice(Category.MESSAGE_TOO_BIG, language)
        yield Finding(Subject.SIZE, well=True, text=f"{seen.too_big} × {told.meaning} {told.action}")


def _disk(seen: Seen, limits: Limits, pick: _Pick) -> Finding:
    if not seen.disk_size:
        return Finding(Subject.DISK, well=True, text=pick("not known", "brak danych"))
    share = seen.disk_free * 100 / seen.disk_size
    size = f"{seen.disk_free / 2**30:.1f}"
    free = pick(f"{size} GiB ({share:.0f}%) free", f"wolne {size.replace('.', ',')} GiB ({share:.0f} %)")
    return Finding(Subject.DISK, share >= limits.disk_percent, free)


def _keys(seen: Seen, limits: Limits, pick: _Pick) -> Iterator[Finding]:
    for each in seen.keys:
        if each.created is None:
            text = pick(f"{each.path}: the key can't be read", f"{each.path}: nie można odczytać klucza")
            yield Finding(Subject.KEYS, well=False, text=text, detail=each.path)
            continue
        days = (seen.at - each.created).days
        well = days <= limits.key_days
        text = pick(f"{each.path}: age in days: {days}", f"{each.path}: wiek w dniach: {days}")
        if not well:
            text += "; bouncemilter returnpath rotate"
        yield Finding(Subject.KEYS, well, text, detail=each.path)


def _passed(seen: Seen, pick: _Pick) -> Finding:
    if seen.passed is None:
        return Finding(Subject.PASSED_MAIL, well=False, text=pick("can't be looked at", "nie można sprawdzić"))
    if not seen.passed:
        return Finding(Subject.PASSED_MAIL, well=True, text=pick("none lies unread", "nic nie leży nieprzeczytane"))
    text = pick(
        f"mails of people in the Maildir `passed`: {seen.passed}; read them, and set sink.forward_to",
        f"wiadomości od ludzi w katalogu Maildir `passed`: {seen.passed}; przeczytaj je i ustaw sink.forward_to",
    )
    return Finding(Subject.PASSED_MAIL, well=False, text=text)

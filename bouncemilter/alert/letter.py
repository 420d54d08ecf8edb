"""How an alert reads."""

from __future__ import annotations

import datetime as dt
import email.utils
import secrets
from collections.abc import Iterable, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from bouncemilter import text
from bouncemilter.alert.watch import Alert, AlertKind
from bouncemilter.classify.advice import Language
from bouncemilter.figures import words
from bouncemilter.figures.health import Finding, Subject
from bouncemilter.figures.report import Report
from bouncemilter.figures.totals import WINDOWS, Totals
from bouncemilter.report import ALERT_HEADER

_TITLES: Final[dict[AlertKind, tuple[str, str]]] = {
    AlertKind.INCIDENT: ("living addresses fail all at once", "naraz zawodzą żywe adresy"),
    AlertKind.BLOCKLISTED: ("your server or domain is on a blocklist", "serwer lub domena na czarnej liście"),
    AlertKind.BALANCE: ("a balance does not close", "bilans się nie zgadza"),
    AlertKind.STORE_DOWN: ("the store can't be used", "nie można użyć bazy"),
    AlertKind.STORE_RECOVERED: ("the store is up again", "baza znowu działa"),
    AlertKind.DISK_LOW: ("the disk is nearly full", "kończy się miejsce na dysku"),
    AlertKind.KEY_AGE: ("a signing key is old or can't be read", "klucz podpisu jest stary lub nieczytelny"),
    AlertKind.UNREAD: ("mail of people lies unread", "nieprzeczytane wiadomości od ludzi"),
    AlertKind.MAILBOX: ("a mailbox can't be read", "nie można odczytać skrzynki"),
    AlertKind.DIGEST: ("the last 24 hours", "ostatnie 24 godziny"),
}
_INCIDENT: Final = (
    """\
Their suppressions are pending: nobody is lost by it, and you can leave it at that. Or decide:
bouncemilter incident undo NUMBER (they live), bouncemilter incident release NUMBER (they are dead).""",
    """\
Ich blokady są wstrzymane: nikt przez to nie ginie i można tak to zostawić. Albo zdecyduj:
bouncemilter incident undo NUMER (żyją), bouncemilter incident release NUMER (nie istnieją).""",
)
_BLOCKLISTED: Final = (
    "No address is suppressed for this. What the servers said: bouncemilter report --raw blocklisted",
    "Żaden adres nie jest przez to blokowany. Co odpowiedziały serwery: bouncemilter report --raw blocklisted",
)
_EXPLAINED: Final[dict[AlertKind, tuple[str, str]]] = {
    AlertKind.INCIDENT: _INCIDENT,
    AlertKind.BLOCKLISTED: _BLOCKLISTED,
}
_SUBJECTS: Final[dict[Subject, tuple[str, str]]] = {
    Subject.DAEMON: ("daemon", "demon"),
    Subject.STORE: ("store", "baza"),
    Subject.CONFIGURATION: ("configuration", "konfiguracja"),
    Subject.LAST_BOUNCE: ("last bounce", "ostatni zwrot"),
    Subject.LAST_ERROR: ("last error", "ostatni błąd"),
    Subject.SUPPRESSIONS: ("suppressions", "blokady"),
    Subject.BALANCES: ("balances", "bilanse"),
    Subject.INCIDENTS: ("incidents", "incydenty"),
    Subject.BLOCKLISTS: ("blocklists", "czarne listy"),
    Subject.SIZE: ("size of mailings", "wielkość wysyłek"),
    Subject.DISK: ("disk", "dysk"),
    Subject.KEYS: ("signing key", "klucz podpisu"),
    Subject.PASSED_MAIL: ("passed mail", "poczta od ludzi"),
    Subject.MAILBOXES: ("mailboxes", "skrzynki"),
}
_FOOT: Final = (
    "Written by bouncemilter on {0}. Nobody reads answers to this mail. All of it: bouncemilter status",
    "Napisał bouncemilter na {0}. Nikt nie czyta odpowiedzi na ten list. Całość: bouncemilter status",
)


def subject_name(subject: Subject, language: Language) -> str:
    """What is looked at, in a word or two."""
    return _in(_SUBJECTS[subject], language)


def lines(findings: Iterable[Finding], language: Language) -> list[str]:
    """Findings as lines; what needs attention begins with an exclamation mark."""
    return [f"{' ' if each.well else '!'} {subject_name(each.subject, language)}: {each.text}" for each in findings]


def compose(alert: Alert, host: str, language: Language, extra: Sequence[str] = ()) -> tuple[str, str]:
    """Subject and text of the mail; `extra`: lines before the findings."""
    body = [*extra, *([""] if extra else []), *lines(alert.findings, language)]
    if alert.kind in _EXPLAINED:
        body += ["", _in(_EXPLAINED[alert.kind], language)]
    body += ["", "-- ", _in(_FOOT, language).format(host)]
    said = "\n".join(text.visible(line) for each in body for line in each.split("\n"))
    return text.clean(f"[bouncemilter {host}] {_in(_TITLES[alert.kind], language)}", 200), said


def digest(found: Totals, language: Language) -> list[str]:
    """The lines of the daily digest that count."""
    polish = language is Language.PL
    told = ["Blokady w mocy: {0}, wstrzymane: {1}" if polish else "Suppressions in force: {0}, pending: {1}"]
    told = [told[0].format(words.number(found.in_force, language), words.number(found.pending, language))]
    for days, report in zip(WINDOWS, found.reports, strict=True):
        title = ("Dziś" if polish else "Today") if days == 1 else f"{days} dni" if polish else f"{days} days"
        told.append(f"{title}: {_counted(report, language)}")
    reasons = [line for line in found.reports[0].lines if line.counts.failed][:5]
    told += [f"  {line.name}: {words.number(line.counts.failed, language)}" for line in reasons]
    return told


def _counted(report: Report, language: Language) -> str:
    line = report.total
    counts = {"failed": line.counts.failed} | {
        name: getattr(line.counts, name) for name in ("hard", "soft", "block", "complaint", "unsubscribe")
    }
    told = [f"{words.word(name, language)}: {words.number(n, language)}" for name, n in counts.items()]
    if line.arrived is not None:
        told.append(f"{words.word('arrived', language)}: {words.percent(line.arrived, language)}")
    return ", ".join(told)


def message(subject: str, body: str, sender: str, recipients: Sequence[str], at: dt.datetime) -> bytes:
    """The mail, with CRLF. It says of itself that no machine shall answer (RFC 3834 section 5)."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = email.utils.formataddr(("bouncemilter", sender))
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = subject
    mail["Date"] = email.utils.format_datetime(at)
    mail["Message-ID"] = f"<{secrets.token_hex(12)}.alert@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail[ALERT_HEADER] = "yes"
    mail.set_content(body, cte="quoted-printable")
    return mail.as_bytes()


def _in(texts: tuple[str, str], language: Language) -> str:
    return texts[language is Language.PL]

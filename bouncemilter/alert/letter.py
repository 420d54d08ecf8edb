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
from bouncemilter.classify.advice import Language, advice
from bouncemilter.figures import words
from bouncemilter.figures.health import Finding, Subject
from bouncemilter.figures.report import Line, Report
from bouncemilter.figures.totals import WINDOWS, Totals
from bouncemilter.model import Category
from bouncemilter.report import ALERT_HEADER, ALERT_ID

_TITLES: Final[dict[AlertKind, tuple[str, str]]] = {
    AlertKind.INCIDENT: ("living addresses fail all at once", "naraz zawodzą żywe adresy"),
    AlertKind.BLOCKLISTED: ("your server or domain is on a blocklist", "Twój serwer lub domena na czarnej liście"),
    AlertKind.BALANCE: ("a balance does not close", "bilans się nie zgadza"),
    AlertKind.STORE_DOWN: ("the store can't be used", "nie można użyć bazy"),
    AlertKind.STORE_RECOVERED: ("the store is up again", "baza znowu działa"),
    AlertKind.DISK_LOW: ("the disk is nearly full", "kończy się miejsce na dysku"),
    AlertKind.KEY_AGE: ("a signing key is old or can't be read", "klucz podpisu jest stary lub nieczytelny"),
    AlertKind.UNREAD: ("mail of people lies unread", "czekają nieprzeczytane wiadomości od ludzi"),
    AlertKind.MAILBOX: ("a mailbox can't be read", "nie można odczytać skrzynki"),
    AlertKind.DIGEST: ("daily digest", "raport dzienny"),
}
_INCIDENT: Final = (
    """\
Their suppressions are pending: no address is lost by it, and you can leave it at that. Or decide:
bouncemilter incident undo NUMBER (they live), bouncemilter incident release NUMBER (they are dead).""",
    """\
Ich blokady są wstrzymane: żaden adres przez to nie przepada i można to tak zostawić. Albo zdecyduj:
bouncemilter incident undo NUMER (adresy działają), bouncemilter incident release NUMER (nie istnieją).""",
)
LINE_LENGTH: Final = 76
"""Of quoted-printable, at most (RFC 2045 section 6.7); the library's own limit is that of RFC 5322."""
_LINE: Final = 600
"""Characters of a finding: a server's words can be long, and what stands before them is what matters."""
_BLOCKLISTED: Final = (
    """\
No address is suppressed for this. What the servers said: bouncemilter report --raw blocklisted
and bouncemilter report --raw blocked_by_provider""",
    """\
Żaden adres nie zostaje przez to zablokowany. Co odpowiedziały serwery: bouncemilter report --raw blocklisted
i bouncemilter report --raw blocked_by_provider""",
)
_EXPLAINED: Final[dict[AlertKind, tuple[str, str]]] = {
    AlertKind.INCIDENT: _INCIDENT,
    AlertKind.BLOCKLISTED: _BLOCKLISTED,
}
_CATEGORIES: Final = frozenset(Category)
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
    "Wysłał bouncemilter z hosta {0}. Nikt nie czyta odpowiedzi na tę wiadomość. Całość: bouncemilter status",
)


def subject_name(subject: Subject, language: Language) -> str:
    """What is looked at, in a word or two."""
    return _in(_SUBJECTS[subject], language)


def lines(findings: Iterable[Finding], language: Language) -> list[str]:
    """Findings, a line for each, whatever a server's words in it are; what needs attention begins with an exclamation
    mark.
    """
    return [
        f"{' ' if each.well else '!'} {subject_name(each.subject, language)}: {_line(each.text)}" for each in findings
    ]


def compose(alert: Alert, host: str, language: Language, extra: Sequence[str] = ()) -> tuple[str, str]:
    """Subject and text of the mail; `extra`: lines before the findings."""
    body = [*extra, *([""] if extra else []), *lines(alert.findings, language)]
    if alert.kind in _EXPLAINED:
        body += ["", _in(_EXPLAINED[alert.kind], language)]
    body += ["", "-- ", _in(_FOOT, language).format(host)]
    said = "\n".join(text.visible(line) for each in body for line in each.split("\n"))
    return text.clean(f"[bouncemilter {text.clean(host, 120)}] {_in(_TITLES[alert.kind], language)}", 200), said


def _line(found: str) -> str:
    shown = text.visible(found)
    return shown if len(shown) <= _LINE else f"{shown[: _LINE - 1]}…"


def digest(found: Totals, language: Language) -> list[str]:
    """The lines of the daily digest that count."""
    polish = language is Language.PL
    told = ["Blokady w mocy: {0}, wstrzymane: {1}" if polish else "Suppressions in force: {0}, pending: {1}"]
    told = [told[0].format(words.number(found.in_force, language), words.number(found.pending, language))]
    for days, report in zip(WINDOWS, found.reports, strict=True):
        told.append(f"{_window(days, report, polish=polish)}: {_counted(report, language)}")
        if days == 1:
            told += [_reason(line, language) for line in report.lines if line.counts.failed][:5]
    return told


def _window(days: int, report: Report, *, polish: bool) -> str:
    last = report.query.last.isoformat()
    if days == 1:
        return f"Wczoraj ({last})" if polish else f"Yesterday ({last})"
    return f"{days} dni do {last}" if polish else f"{days} days up to {last}"


def _reason(line: Line, language: Language) -> str:
    """A category with what it means; what is none stands for itself."""
    meant = f" – {advice(Category(line.name), language).meaning}" if line.name in _CATEGORIES else ""
    return f"  {line.name}: {words.number(line.counts.failed, language)}{meant}"


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
    mail = EmailMessage(policy=SMTP.clone(max_line_length=LINE_LENGTH))
    mail["From"] = email.utils.formataddr(("bouncemilter", sender))
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = subject
    mail["Date"] = email.utils.format_datetime(at)
    mail["Message-ID"] = f"<{secrets.token_hex(12)}{ALERT_ID}{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail[ALERT_HEADER] = "yes"
    mail.set_content(body, cte="quoted-printable")
    return mail.as_bytes()


def _in(texts: tuple[str, str], language: Language) -> str:
    return texts[language is Language.PL]

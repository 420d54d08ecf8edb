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
from bouncemilter.classify.advice import advice
from bouncemilter.health import subject
from bouncemilter.health.findings import HealthFinding
from bouncemilter.language import Language, Words
from bouncemilter.model import Category
from bouncemilter.report import ALERT_HEADER, ALERT_ID
from bouncemilter.statistics import words
from bouncemilter.statistics.report import Line, Report
from bouncemilter.statistics.totals import WINDOWS, Totals

_TITLES: Final[dict[AlertKind, Words]] = {
    AlertKind.INCIDENT: Words("living addresses fail all at once", "naraz zawodzą żywe adresy"),
    AlertKind.BLOCKLISTED: Words("your server or domain is on a blocklist", "Twój serwer lub domena na czarnej liście"),
    AlertKind.BALANCE: Words("a balance does not close", "bilans się nie zgadza"),
    AlertKind.STORE_DOWN: Words("the store can't be used", "nie można użyć bazy"),
    AlertKind.STORE_RECOVERED: Words("the store is up again", "baza znowu działa"),
    AlertKind.DISK_LOW: Words("the disk is nearly full", "kończy się miejsce na dysku"),
    AlertKind.KEY_AGE: Words("a signing key is old or can't be read", "klucz podpisu jest stary lub nieczytelny"),
    AlertKind.UNREAD: Words("mail of people lies unread", "czekają nieprzeczytane wiadomości od ludzi"),
    AlertKind.MAILBOX: Words("a mailbox can't be read", "nie można odczytać skrzynki"),
    AlertKind.DIGEST: Words("daily digest", "raport dzienny"),
}
_INCIDENT: Final = Words(
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
_BLOCKLISTED: Final = Words(
    """\
No address is suppressed for this. What the servers said: bouncemilter report --raw blocklisted
and bouncemilter report --raw blocked_by_provider""",
    """\
Żaden adres nie zostaje przez to zablokowany. Co odpowiedziały serwery: bouncemilter report --raw blocklisted
i bouncemilter report --raw blocked_by_provider""",
)
_EXPLAINED: Final[dict[AlertKind, Words]] = {
    AlertKind.INCIDENT: _INCIDENT,
    AlertKind.BLOCKLISTED: _BLOCKLISTED,
}
_CATEGORIES: Final = frozenset(Category)
_SUPPRESSIONS: Final = Words("Suppressions in force: {0}, pending: {1}", "Blokady w mocy: {0}, wstrzymane: {1}")
_YESTERDAY: Final = Words("Yesterday ({0})", "Wczoraj ({0})")
_WINDOW: Final = Words("{1} days up to {0}", "{1} dni do {0}")
_FOOT: Final = Words(
    "Written by bouncemilter on {0}. Nobody reads answers to this mail. All of it: bouncemilter status",
    "Wysłał bouncemilter z hosta {0}. Nikt nie czyta odpowiedzi na tę wiadomość. Całość: bouncemilter status",
)


def lines(findings: Iterable[HealthFinding], language: Language) -> list[str]:
    """Findings, a line for each, whatever a server's words in it are; what needs attention begins with an exclamation
    mark.
    """
    return [
        f"{' ' if each.well else '!'} {subject.name(each.subject, language)}: {_line(each.text)}" for each in findings
    ]


def compose(alert: Alert, host: str, language: Language, extra: Sequence[str] = ()) -> tuple[str, str]:
    """Subject and text of the mail; `extra`: lines before the findings."""
    body = [*extra, *([""] if extra else []), *lines(alert.findings, language)]
    if alert.kind in _EXPLAINED:
        body += ["", _EXPLAINED[alert.kind].in_(language)]
    body += ["", "-- ", _FOOT.in_(language, host)]
    said = "\n".join(text.visible(line) for each in body for line in each.split("\n"))
    return text.clean(f"[bouncemilter {text.clean(host, 120)}] {_TITLES[alert.kind].in_(language)}", 200), said


def _line(found: str) -> str:
    shown = text.visible(found)
    return shown if len(shown) <= _LINE else f"{shown[: _LINE - 1]}…"


def digest(found: Totals, language: Language) -> list[str]:
    """The lines of the daily digest that count."""
    told = [_SUPPRESSIONS.in_(language, words.number(found.in_force, language), words.number(found.pending, language))]
    for days, report in zip(WINDOWS, found.reports, strict=True):
        window = (_YESTERDAY if days == 1 else _WINDOW).in_(language, report.query.last.isoformat(), days)
        told.append(f"{window}: {_counted(report, language)}")
        if days == 1:
            told += [_reason(line, language) for line in report.lines if line.counts.failed][:5]
    return told


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


def message(title: str, body: str, sender: str, recipients: Sequence[str], at: dt.datetime) -> bytes:
    """The mail, with CRLF. It says of itself that no machine shall answer (RFC 3834 section 5)."""
    mail = EmailMessage(policy=SMTP.clone(max_line_length=LINE_LENGTH))
    mail["From"] = email.utils.formataddr(("bouncemilter", sender))
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = title
    mail["Date"] = email.utils.format_datetime(at)
    mail["Message-ID"] = f"<{secrets.token_hex(12)}{ALERT_ID}{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail[ALERT_HEADER] = "yes"
    mail.set_content(body, cte="quoted-printable")
    return mail.as_bytes()

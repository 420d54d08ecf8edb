"""The words of reports in English and Polish, and how numbers are written."""

from __future__ import annotations

from typing import Final

from bouncemilter.language import Language, Words
from bouncemilter.statistics.query import By
from bouncemilter.statistics.report import Remark

_WORDS: Final[dict[str, Words]] = {
    "title": Words("Bounce report", "Raport zwrotów"),
    "period": Words("from {0} to {1}", "od {0} do {1}"),
    "made": Words("made {0}", "sporządzono {0}"),
    "sent": Words("sent", "wysłane"),
    "failed": Words("came back", "zwrócone"),
    "rate": Words("bounce rate", "wskaźnik zwrotów"),
    "arrived": Words("delivered", "dostarczone"),
    "target": Words("target: {0}", "cel: {0}"),
    "reached": Words("target reached", "cel osiągnięty"),
    "missed": Words("below the target", "poniżej celu"),
    "unknown": Words("not known", "brak danych"),
    "hard": Words("hard", "twarde"),
    "soft": Words("soft", "miękkie"),
    "block": Words("blocks", "blokujące"),
    "complaint": Words("complaints", "skargi"),
    "unsubscribe": Words("unsubscribed", "wypisania"),
    "delayed": Words("delayed", "opóźnione"),
    "auto_reply": Words("auto-replies", "autoodpowiedzi"),
    "total": Words("total", "razem"),
    "none": Words("(not known)", "(nieznane)"),
    "by_day": Words("Day by day", "Dzień po dniu"),
    "share_by_day": Words("Delivered, day by day", "Dostarczone, dzień po dniu"),
    "in_figures": Words("in figures", "w liczbach"),
    "bars_say": Words(
        "came back: {0}; the most on one day, {1}, on {2}", "zwrócone: {0}; najwięcej jednego dnia, {1}: {2}"
    ),
    "curve_says": Words("the lowest share is {0}, on {1}; target: {2}", "najniższy udział to {0}, {1}; cel: {2}"),
    "reasons": Words("Reasons", "Przyczyny"),
    "reason": Words("reason", "przyczyna"),
    "messages": Words("messages", "wiadomości"),
    "advice": Words("what it means, and what to do", "co to znaczy i co robić"),
    "address_delete": Words("delete the address", "usuń adres"),
    "address_wait": Words("wait", "poczekaj"),
    "address_keep": Words("keep the address", "zachowaj adres"),
    "said": Words("What the servers said", "Co odpowiedziały serwery"),
    "last": Words("last", "ostatnio"),
    "words": Words("server's words", "słowa serwera"),
    "blocklists": Words("Blocklists", "Czarne listy"),
    "blocklists_text": Words(
        "Your server's address or your domain is on these lists. Find and mend the cause, then ask for removal there.",
        "Adres Twojego serwera lub Twoja domena jest na tych listach. Usuń przyczynę, potem poproś tam o wykreślenie.",
    ),
    "list": Words("list", "lista"),
    "removal": Words("ask for removal", "zgłoś wykreślenie"),
    "more": Words("and {0} more", "i jeszcze {0}"),
    "nothing": Words("Nothing came back in this time.", "W tym okresie nic nie wróciło."),
    "only": Words("only", "tylko"),
    "in_force": Words("suppressions in force: {0}", "blokady w mocy: {0}"),
    "pending": Words("pending: {0}, in incidents: {1}", "wstrzymane: {0}, w incydentach: {1}"),
    "cause": Words("cause", "powód"),
    "class": Words("class", "klasa"),
    "scope": Words("scope", "zakres"),
    "suppressions": Words("suppressions", "blokady"),
    "watched": Words("watched", "obserwowane"),
    "addresses": Words("addresses", "adresy"),
    "today": Words("today", "dziś"),
    "days": Words("{0} days", "{0} dni"),
    "said_delivered": Words("said to be delivered", "potwierdzone doręczenia"),
    "withheld": Words("withheld", "niewysłane przez blokady"),
}
_BY: Final[dict[By, Words]] = {
    By.DAY: Words("day", "dzień"),
    By.CAMPAIGN: Words("campaign", "kampania"),
    By.LIST: Words("list", "lista"),
    By.PROVIDER: Words("provider", "dostawca"),
    By.CATEGORY: Words("reason", "przyczyna"),
    By.MESSAGE: Words("message", "wiadomość"),
    By.STREAM: Words("stream", "strumień"),
}
_REMARKS: Final[dict[Remark, Words]] = {
    Remark.NO_SENT: Words(
        "No sent mail is recorded for this, so there are counts and no rates. Mail of a [[stream]] is recorded.",
        "Nie ma zapisów wysłanej poczty, więc są liczby, a nie wskaźniki. Zapisywana jest poczta każdego [[stream]].",
    ),
    Remark.SENT_SINCE: Words(
        "Sent mail is recorded since {0}: rates are of the time from then on.",
        "Wysłana poczta jest zapisywana od {0}: wskaźniki dotyczą czasu od tego dnia.",
    ),
    Remark.NO_SHARE: Words(
        "Sent mail is not counted by subject, so these lines have no rates.",
        "Wysłana poczta nie jest liczona według tematu, więc te wiersze nie mają wskaźników.",
    ),
    Remark.UTC_SENT: Words(
        "Sent mail is counted by UTC days, so rates are of UTC days; what came back is shown by days of the time zone.",
        "Wysłana poczta jest liczona według dni UTC, więc wskaźniki też; liczby zwrotów są z dni strefy czasowej.",
    ),
    Remark.UNTIED: Words(
        "Left out: {0} reports that nothing ties to your mail (trust none).",
        "Pominięto raporty, których nic nie wiąże z Twoją pocztą (trust none): {0}.",
    ),
    Remark.MORE_THAN_SENT: Words(
        "Lines with more failures than sent messages have no rate: older mail, or mail of no stream, came back.",
        "Wiersze, w których zwrotów jest więcej niż wysłanych, nie mają wskaźnika: wróciła starsza lub inna poczta.",
    ),
    Remark.EVENTS_SINCE: Words(
        "Events before {0} are deleted; what came back before is only counted by day and by reason.",
        "Zdarzenia sprzed {0} są usunięte; wcześniejsze zwroty są policzone tylko według dni i przyczyn.",
    ),
    Remark.SAME_STREAM: Words(
        "For {0} failures the stream is not known: several have sent under the same campaign, list and sender.",
        "Zwroty, których strumień nie jest znany, bo kilka wysyłało z tą samą kampanią, listą i nadawcą: {0}.",
    ),
    Remark.UNNAMED: Words(
        "For {0} failures the name is not known: they are in no line's rate, so true rates may be higher.",
        "Zwroty bez znanej nazwy, nieujęte we wskaźnikach wierszy, które mogą więc być w istocie wyższe: {0}.",
    ),
}


def word(key: str, language: Language, *given: object) -> str:
    """One of the texts, with what is given filled in."""
    return _WORDS[key].in_(language, *given)


def by(value: By, language: Language) -> str:
    """The heading of the first column."""
    return _BY[value].in_(language)


def remark(value: Remark, given: str, language: Language) -> str:
    """One sentence."""
    return _REMARKS[value].in_(language, given)


def number(value: int | None, language: Language) -> str:
    """With separated thousands; a dash for what is not known."""
    if value is None:
        return "–"
    return f"{value:,}".replace(",", " " if language is Language.PL else ",")


def short(value: int) -> str:
    """A round number for an axis on a telephone: 400k, 2M."""
    for unit, sign in ((1_000_000, "M"), (1000, "k")):
        if value >= 10 * unit or value >= unit == 1_000_000:
            return f"{value / unit:g}{sign}"
    return str(value)


def percent(value: float | None, language: Language) -> str:
    """A share of 0 to 1 in percent, with two digits after the point; a dash for what is not known.

    It is never rounded to all or to nothing.
    """
    if value is None:
        return "–"
    hundredths = round(value * 10_000)
    if 0 < value < 1:
        hundredths = min(max(hundredths, 1), 9_999)
    written = f"{hundredths // 100}.{hundredths % 100:02d}"
    return f"{written.replace('.', ',')} %" if language is Language.PL else f"{written}%"


def share(value: float, language: Language) -> str:
    """A round share in percent, as of a target or an axis."""
    return f"{value * 100:.0f}{' ' if language is Language.PL else ''}%"

"""The words of findings, in English and Polish."""

from __future__ import annotations

from typing import Final

from bouncemilter.language import Language, Words

TAKES_MAIL: Final = Words("takes mail", "przyjmuje pocztę")
TAKES_NO_MAIL: Final = Words("takes no mail: {0}", "nie przyjmuje poczty: {0}")
ALIVE: Final = Words("alive, by its heartbeat in the store", "działa, według znaku życia w bazie")
SILENT: Final = Words(
    ", but nothing answers at {0} (web.address): has it been restarted since that was changed?",
    ", ale pod {0} (web.address) nic nie odpowiada: czy po zmianie uruchomiono go ponownie?",
)
DOES_NOT_RUN: Final = Words(
    "does not run (last sign of life: {0}): systemctl status bouncemilter",
    "nie działa (ostatni znak życia: {0}): systemctl status bouncemilter",
)
NEVER: Final = Words("never", "nigdy")
LIFE_NOT_KNOWN: Final = Words("not known", "nie wiadomo")
STORE_UP: Final = Words("up", "działa")
STORE_UNUSABLE: Final = Words(
    "can't be used: {0}; mail waits in the queue", "nie można jej użyć: {0}; poczta czeka w kolejce"
)
STORE_READ_ONLY: Final = Words(
    "can't be written; mail waits in the queue: free disk space? log line store_down",
    "nie można do niej pisać; poczta czeka w kolejce: miejsce na dysku? wpis store_down w logu",
)
RELOAD_REFUSED: Final = Words(
    "the last reload was refused, the old one holds: bouncemilter check-config",
    "ostatnie przeładowanie odrzucono, obowiązuje stara: bouncemilter check-config",
)
NO_ERROR: Final = Words("none since the start", "brak od uruchomienia")
IN_MEMORY: Final = Words("in memory as they were {0} s ago", "w pamięci według stanu sprzed {0} s")
BALANCE_OPEN: Final = Words(
    "{0}: mails are not accounted for; a fault of bouncemilter, please report it",
    "{0}: bilans wiadomości się nie zgadza; to błąd programu bouncemilter, prosimy o zgłoszenie",
)
BALANCES_CLOSE: Final = Words("close", "zgadzają się")
MAILBOX_OVERDUE: Final = Words(
    "one is {0} min overdue for reading: log line mailbox_failed",
    "jedna nieodczytana na czas, spóźnienie {0} min: wpis mailbox_failed w logu",
)
NO_BOUNCE: Final = Words("none yet", "jeszcze żaden")
INCIDENT: Final = Words(
    "{id}: {what}, failures: {events}, addresses pending: {pending}: bouncemilter incident show {id}",
    "{id}: {what}, zwroty: {events}, adresy wstrzymane: {pending}: bouncemilter incident show {id}",
)
NO_INCIDENT: Final = Words("none is open", "żaden nie jest otwarty")
A_BLOCKLIST: Final = Words("a blocklist", "czarna lista")
REFUSALS: Final = Words("{0}: refusals within 24 hours: {1}; {2}", "{0}: odmowy w ciągu 24 godzin: {1}; {2}")
NO_REFUSAL: Final = Words("no refusal within 24 hours", "brak odmów w ciągu 24 godzin")
MEND: Final = Words("mend the cause, then {0}", "usuń przyczynę, potem {0}")
LOOK_UP: Final = Words("look the list up at {0}", "poszukaj tej listy na stronie {0}")
ASK_FOR_REMOVAL: Final = Words("ask for removal at {0}", "poproś o wykreślenie na stronie {0}")
DISK_NOT_KNOWN: Final = Words("not known", "brak danych")
DISK_FREE: Final = Words("{0} GiB ({1}%) free", "wolne {0} GiB ({1} %)")
KEY_UNREADABLE: Final = Words("{0}: the key can't be read", "{0}: nie można odczytać klucza")
KEY_AGE: Final = Words("{0}: age in days: {1}", "{0}: wiek w dniach: {1}")
PASSED_NOT_KNOWN: Final = Words("can't be looked at", "nie można sprawdzić")
NONE_PASSED: Final = Words("none lies unread", "nic nie leży nieprzeczytane")
PASSED: Final = Words(
    "mails of people in the Maildir `passed`: {0}; read them, and set sink.forward_to",
    "wiadomości od ludzi w katalogu Maildir `passed`: {0}; przeczytaj je i ustaw sink.forward_to",
)


def decimal(value: float, language: Language) -> str:
    """With one digit after the point, or the comma."""
    written = f"{value:.1f}"
    return written.replace(".", ",") if language is Language.PL else written

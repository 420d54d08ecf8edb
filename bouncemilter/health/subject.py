"""What is looked at, and how it is called."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from bouncemilter.language import Language, Words


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


_NAMES: Final = {
    Subject.DAEMON: Words("daemon", "demon"),
    Subject.STORE: Words("store", "baza"),
    Subject.CONFIGURATION: Words("configuration", "konfiguracja"),
    Subject.LAST_BOUNCE: Words("last bounce", "ostatni zwrot"),
    Subject.LAST_ERROR: Words("last error", "ostatni błąd"),
    Subject.SUPPRESSIONS: Words("suppressions", "blokady"),
    Subject.BALANCES: Words("balances", "bilanse"),
    Subject.INCIDENTS: Words("incidents", "incydenty"),
    Subject.BLOCKLISTS: Words("blocklists", "czarne listy"),
    Subject.SIZE: Words("size of mailings", "wielkość wysyłek"),
    Subject.DISK: Words("disk", "dysk"),
    Subject.KEYS: Words("signing key", "klucz podpisu"),
    Subject.PASSED_MAIL: Words("passed mail", "poczta od ludzi"),
    Subject.MAILBOXES: Words("mailboxes", "skrzynki"),
}


def name(subject: Subject, language: Language) -> str:
    """It in a word or two."""
    return _NAMES[subject].in_(language)

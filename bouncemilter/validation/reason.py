"""What can be said against an address."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from bouncemilter.language import Language, Words


class Validity(StrEnum):
    """What to do with an address, from good to bad."""

    OK = "ok"
    RISKY = "risky"
    """It may exist; look before you write to it."""
    INVALID = "invalid"
    """Mail to it can't arrive."""


class Reason(StrEnum):
    """Why an address is not simply good."""

    SYNTAX = "syntax"
    LOCAL_PART = "local_part"
    DOMAIN_SYNTAX = "domain_syntax"
    RESERVED_DOMAIN = "reserved_domain"
    DOMAIN_NOT_FOUND = "domain_not_found"
    NULL_MX = "null_mx"
    NO_MAIL_SERVER = "no_mail_server"
    TYPO = "typo"
    DISPOSABLE = "disposable"
    TRAP_LIKE = "trap_like"
    MADE_UP = "made_up"
    ROLE = "role"
    NO_MX = "no_mx"
    SMTPUTF8 = "smtputf8"
    QUOTED = "quoted"
    DOTS = "dots"
    DOMAIN_LITERAL = "domain_literal"
    DUPLICATE = "duplicate"
    NOT_CHECKED = "not_checked"


_TABLE: Final[dict[Reason, tuple[Validity, Words]]] = {
    Reason.SYNTAX: (Validity.INVALID, Words("not an e-mail address", "to nie jest adres e-mail")),
    Reason.LOCAL_PART: (
        Validity.INVALID,
        Words(
            "what stands before the @ is too long, or has dots where none may be",
            "część przed @ jest za długa albo ma kropki w niedozwolonym miejscu",
        ),
    ),
    Reason.DOMAIN_SYNTAX: (
        Validity.INVALID,
        Words("no domain can have this name", "żadna domena nie może się tak nazywać"),
    ),
    Reason.RESERVED_DOMAIN: (
        Validity.INVALID,
        Words("a domain for examples and tests", "domena do przykładów i testów"),
    ),
    Reason.DOMAIN_NOT_FOUND: (Validity.INVALID, Words("the domain does not exist", "domena nie istnieje")),
    Reason.NULL_MX: (
        Validity.INVALID,
        Words("the domain says that it takes no mail", "domena ogłasza, że nie przyjmuje poczty"),
    ),
    Reason.NO_MAIL_SERVER: (Validity.INVALID, Words("the domain has no mail server", "domena nie ma serwera poczty")),
    Reason.TYPO: (Validity.RISKY, Words("likely a typing error in the domain", "prawdopodobnie literówka w domenie")),
    Reason.DISPOSABLE: (Validity.RISKY, Words("a mailbox for a few minutes", "skrzynka jednorazowa")),
    Reason.TRAP_LIKE: (Validity.RISKY, Words("looks like a spam trap", "wygląda na pułapkę na spam")),
    Reason.MADE_UP: (Validity.RISKY, Words("looks made up", "wygląda na zmyślony")),
    Reason.ROLE: (Validity.RISKY, Words("a role, not a person", "adres funkcji, a nie osoby")),
    Reason.NO_MX: (
        Validity.RISKY,
        Words(
            "the domain names no mail server; its web server may take mail",
            "domena nie wskazuje serwera poczty; być może przyjmie ją jej serwer WWW",
        ),
    ),
    Reason.SMTPUTF8: (
        Validity.RISKY,
        Words(
            "letters before the @ that many servers don't take", "litery przed @, których wiele serwerów nie obsługuje"
        ),
    ),
    Reason.QUOTED: (Validity.RISKY, Words("quotes before the @", "cudzysłowy przed @")),
    Reason.DOTS: (
        Validity.RISKY,
        Words("dots that only this provider allows", "kropki, które dopuszcza tylko ten dostawca"),
    ),
    Reason.DOMAIN_LITERAL: (Validity.RISKY, Words("a number in place of a domain", "numer zamiast domeny")),
    Reason.DUPLICATE: (Validity.OK, Words("has stood in the list before", "był już wcześniej na liście")),
    Reason.NOT_CHECKED: (Validity.OK, Words("DNS gave no answer: not checked", "DNS nie odpowiedział: nie sprawdzono")),
}
_ORDER: Final = tuple(Validity)


def verdict(reasons: Iterable[Reason]) -> Validity:
    """The worst that one of them says."""
    return max((_TABLE[each][0] for each in reasons), key=_ORDER.index, default=Validity.OK)


def words(reason: Reason, language: Language = Language.EN) -> str:
    """A reason for people."""
    return _TABLE[reason][1].in_(language)

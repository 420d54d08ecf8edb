"""Addresses that exist, perhaps, but are a risk: roles, disposable mailboxes, and what looks like a spam trap."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Final

from bouncemilter import address
from bouncemilter.validation.reason import Reason

_ROLES: Final = frozenset(
    # RFC 2142 and machines
    "abuse admin administrator daemon dns ftp hostmaster mailer-daemon mailerdaemon news noc no-reply noreply nobody "
    "postmaster root security ssladmin sysadmin uucp usenet webmaster www do-not-reply donotreply bounce bounces "
    # firms
    "accounting billing careers contact customerservice enquiries feedback help helpdesk hello hr info invoice "
    "invoices jobs legal mail marketing media office orders press privacy recruitment sales service shop spam staff "
    "subscribe support team unsubscribe gdpr dpo everyone all list newsletter "
    # firms in Poland
    "administracja awarie biuro bok dyrekcja dyrektor dzialhandlowy faktury handel handlowy informacja iod iodo kadry "
    "kancelaria kasa klient kontakt ksiegowosc magazyn obsluga oferty poczta pomoc praca prasa recepcja reklamacje "
    "rekrutacja rezerwacja rezerwacje rodo sekretariat serwis sklep sprzedaz szkola urzad zamowienia zarzad apteka "
    "dziekanat faktura kariera ksiegowa logistyka oferta parafia prezes produkcja przychodnia redakcja rejestracja "
    "reklama reklamacja transport wsparcie zamowienie zapytania".split()
)
_DEPARTMENTS: Final = frozenset(
    "biuro bok info kadry kontakt ksiegowosc marketing office recepcja rekrutacja sekretariat serwis sklep".split()
)
"""Roles that stand before a place or a branch: `biuro.krakow`, `sklep-24`."""
_PARTS: Final = re.compile(r"[-._]")
_TRAPS: Final = re.compile(
    r"spam-?trap|honey-?pot|spam-?bait|trap\d*\Z|no-?spam|anti-?spam|black-?hole|do-?not-?(?:e?mail|spam)|removethis"
)
_RANDOM: Final = re.compile(r"(?=.*\d)(?=.*[a-f])[0-9a-f]{20,}\Z|[bcdfghjklmnpqrstvwxz]{12,}\Z")
"""Machines' names: hexadecimal, or twelve consonants in a row."""
_MADE_UP: Final = re.compile(
    r"(?:test|testy|tester|testing|asdf?|asdfg\w*|qwe|qwer\w*|zxcv?|aaa+|bbb+|xxx+|abc|abcd|123+\d*|nie|brak|niemam|nomail|noemail|"
    r"none|null|fake|foo|bar|nazwa|adres|twojadres|twoj-?e?mail|imie|imie\.nazwisko|user|email|e-mail|name|example|przyklad)\d{0,3}\Z"
)


class DomainFileError(Exception):
    """A file of domains that can't be used; the text names file and line."""


def local_part_risks(local: str) -> Iterator[Reason]:
    """What speaks against the local part of an address key."""
    bare = local.partition("+")[0]
    if _TRAPS.search(local) or _RANDOM.match(bare):
        yield Reason.TRAP_LIKE
    if _MADE_UP.match(bare):
        yield Reason.MADE_UP
    parts = _PARTS.split(bare.rstrip("0123456789"))
    if bare in _ROLES or "".join(parts) in _ROLES or parts[0] in _DEPARTMENTS:
        yield Reason.ROLE


def domain_risks(name: str, disposable: frozenset[str]) -> Iterator[Reason]:
    """What speaks against a domain. `disposable`: domains (A-labels); those below them are meant too."""
    if any(each in disposable for each in _above(name)):
        yield Reason.DISPOSABLE
    if _TRAPS.search(name):
        yield Reason.TRAP_LIKE


def disposable_domains(*files: Path) -> frozenset[str]:
    """The shipped domains and those of `files`, one a line, `#` begins a comment. DomainFileError; OSError."""
    shipped = resources.files("bouncemilter.validation").joinpath("disposable.txt").read_text("utf-8")
    found = {line for line in shipped.splitlines() if line and not line.startswith("#")}
    for path in files:
        found |= set(_domains(path))
    return frozenset(found)


def _domains(path: Path) -> Iterator[str]:
    try:
        content = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise DomainFileError(f"{path}: not a text in UTF-8") from None
    for number, line in enumerate(content.split("\n"), 1):
        name = line.partition("#")[0].strip().removeprefix("@").removeprefix("*.")
        if not name:
            continue
        key = address.key(f"x@{name}")
        if not key or "." not in name:
            raise DomainFileError(f"{path}: line {number}: not a domain")
        yield key.removeprefix("x@")


def _above(domain: str) -> Iterator[str]:
    """A domain and those above it."""
    while domain:
        yield domain
        domain = domain.partition(".")[2]

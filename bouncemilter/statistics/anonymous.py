"""Taking persons out of server replies: a ticket with a provider needs its words, not who was written to."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final
from urllib.parse import quote, unquote

# An equals sign is of the local part: return paths (VERP, BATV, SRS) have it, with a recipient behind it.
_ADDRESS: Final = re.compile(r"""(?:[^\s<>"'(),;:\[\]@/?&]|(?<=\w)'(?=\w))+(?:@|%40)[\w.-]+\w""", re.IGNORECASE)
# But not of a URL's parameter.
_PARAMETER: Final = re.compile(
    r"(?i)(?:addr|address|e|email|for|from|mail|r|rcpt|recipient|sender|to|u|user|username)=(?=[^=]+\Z)"
)
_DESKS: Final = frozenset(("abuse", "hostmaster", "mailer-daemon", "noc", "postmaster", "security", "support"))
"""Local parts of whom a reply tells one to write to: nobody's names."""
_QUOTED: Final = re.compile(r'"[^"\s]+"@[\w.-]+\w')
_PIECE: Final = re.compile(r"[^\W\d_]{3,}")
_STOCK: Final = frozenset(
    """
    account address addresses admin administrator and been biuro blocked box contact data deny disabled does domain
    email error exist for found from full help host hostmaster inbox info kontakt local mail mailbox mailer mailing
    marketing message news newsletter not office over policy postmaster quota recipient rejected relay sales sender
    server service shop sklep smtp spam support system team temporarily test the this unavailable unknown user user's
    users webmaster with you your
    """.split()
)
"""What stands in replies of servers and in local parts alike: to take it out would take the reply's sense."""


class Anonymizer:
    """Replaces persons by marks: the same person has the same mark, and only within what this one has made."""

    def __init__(self, secret: bytes) -> None:
        """`secret`: random and thrown away afterwards, so that nobody can try names out."""
        self._secret = secret

    def address(self, written: str) -> str:
        """An address: its domain, and a mark for its local part."""
        local, _, domain = written.rpartition("@")
        return f"{self._mark(written)}@{domain}" if local else self._mark(written)

    def words(self, text: str, recipient: str) -> str:
        """A server's words without addresses, and without the local part of `recipient` and the names in it.

        Letters count without their accents: who is `zolc@` in the address may be Żółć in the words.
        """
        text = _QUOTED.sub(lambda found: self.address(found[0]), text)
        text = _ADDRESS.sub(lambda found: self._replaced(found[0], recipient), text)
        local = recipient.rpartition("@")[0]
        mark = self._mark(recipient)
        for name in (local, quote(local)):
            if len(name) >= 3 and name.lower() not in _STOCK:
                text = _without(text, rf"(?<![\w.-]){re.escape(_plain(name))}(?![\w-])", mark)
        for piece in _PIECE.findall(local):
            if piece.lower() not in _STOCK:
                text = _without(text, rf"(?<![^\W\d_]){re.escape(_plain(piece))}(?![^\W\d_])", "[name]")
        return text

    def _replaced(self, found: str, recipient: str) -> str:
        joint = "%40" if "%40" in found else "@"
        local, _, domain = found.rpartition(joint)
        # In a URL's own spelling each equals sign is of a parameter.
        parameter = re.match(r".*=", local) if joint == "%40" else _PARAMETER.match(local)
        before = parameter[0] if parameter else ""
        person = f"{unquote(local.removeprefix(before))}@{domain}"
        if local.lower() in _DESKS and person.lower() != recipient.lower():
            return found
        return f"{before}{self._mark(person)}{joint}{domain}"

    def _mark(self, person: str) -> str:
        digest = hashlib.blake2b(person.strip('"').lower().encode("utf-8", "replace"), key=self._secret, digest_size=5)
        return f"person-{digest.hexdigest()}"


def _without(text: str, pattern: str, mark: str) -> str:
    """`text` with `mark` where its plain letters match."""
    found, end = [], 0
    for match in re.finditer(pattern, _plain(text)):
        found += [text[end : match.start()], mark]
        end = match.end()
    return "".join((*found, text[end:]))


def _plain(text: str) -> str:
    """As many letters, small and without accents."""
    if text.isascii():
        return text.lower()
    return "".join(_PLAIN.get(char) or unicodedata.normalize("NFKD", char)[0].lower()[0] for char in text)


_PLAIN: Final = {"ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ø": "o", "Ø": "o"}

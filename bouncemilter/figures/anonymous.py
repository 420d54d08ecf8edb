"""Taking persons out of server replies: a ticket with a provider needs its words, not who was written to."""

from __future__ import annotations

import hashlib
import re
from typing import Final
from urllib.parse import quote

_ADDRESS: Final = re.compile(r"""[^\s<>"'(),;:\[\]@=/]+(?:@|%40)[\w.-]+\w""", re.IGNORECASE)
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
        """A server's words without addresses, and without the local part of `recipient` and the names in it."""
        text = _QUOTED.sub(lambda found: self.address(found[0]), text)
        text = _ADDRESS.sub(self._replaced, text)
        local = recipient.rpartition("@")[0]
        mark = self._mark(recipient)
        for name in (local, quote(local)):
            if len(name) >= 3 and name.lower() not in _STOCK:
                text = re.sub(rf"(?i)(?<![\w.-]){re.escape(name)}(?![\w-])", mark, text)
        for piece in _PIECE.findall(local):
            if piece.lower() not in _STOCK:
                text = re.sub(rf"(?i)\b{re.escape(piece)}\b", "[name]", text)
        return text

    def _replaced(self, found: re.Match[str]) -> str:
        joint = "%40" if "%40" in found[0] else "@"
        local, _, domain = found[0].rpartition(joint)
        return f"{self._mark(f'{local}@{domain}')}{joint}{domain}"

    def _mark(self, person: str) -> str:
        digest = hashlib.blake2b(person.strip('"').lower().encode("utf-8", "replace"), key=self._secret, digest_size=5)
        return f"person-{digest.hexdigest()}"

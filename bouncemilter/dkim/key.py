"""Public keys, read from files: the DNS record's text (RFC 6376 section 3.6.1), also as a line of a zone, or PEM."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SMALLEST, LARGEST = 1024, 4096
"""Bits of an RSA key that a verifier takes (RFC 8301 section 3.2); larger ones would cost too much here."""

_FILE_OCTETS: Final = 64 * 1024
_EXPONENT: Final = 1 << 32
"""Real ones are 65537 or 3; the cost of a check grows with its bits."""
_PEM: Final = re.compile(rb"-----BEGIN (?:RSA )?PUBLIC KEY-----([^-]*)-----END ")
_STRING: Final = re.compile(rb'"([^"]*)"')
"""opendkim-genkey writes `bulk._domainkey IN TXT ( "v=DKIM1; k=rsa; " "p=…" ) ; a comment`."""


class PublicKeyError(Exception):
    """The file holds no public key that can be used; the text says why, and names the file."""


@dataclass(frozen=True, slots=True)
class Key:
    """An RSA public key of ours, and what names it in signatures."""

    domain: str
    """The tag d=, in lower case."""
    selector: str
    """The tag s=, in lower case."""
    modulus: int
    exponent: int

    @property
    def octets(self) -> int:
        """The length of its signatures (RFC 8017 section 8.2.2)."""
        return (self.modulus.bit_length() + 7) // 8


def load(domain: str, selector: str, path: Path) -> Key:
    """The key in the file at `path`. Raises PublicKeyError."""
    try:
        with path.open("rb") as file:
            text = file.read(_FILE_OCTETS)
    except OSError as error:
        raise PublicKeyError(f"{path}: {error.strerror}") from None
    try:
        return parse(domain, selector, text)
    except ValueError as error:
        raise PublicKeyError(f"{path}: {error}") from None


def parse(domain: str, selector: str, text: bytes) -> Key:
    """The key in `text`: a DNS record's, a line of a zone, or PEM. Raises ValueError, which says what is wrong."""
    modulus, exponent = _numbers(_encoded(text))
    return Key(domain.lower(), selector.lower(), modulus, exponent)


def _encoded(text: bytes) -> bytes:
    """The key in base64. Raises ValueError."""
    if b"PRIVATE KEY-----" in text:
        raise ValueError("a private key; the public one is needed, and nothing else")
    if pem := _PEM.search(text):
        return pem[1]
    return _published(b"".join(_STRING.findall(text)) or text)


def _published(record: bytes) -> bytes:
    from dkim.util import InvalidTagValueList, parse_tag_value  # noqa: PLC0415  (dkimpy takes DNS along: 70 ms)

    try:
        tags = parse_tag_value(record)
    except InvalidTagValueList:
        raise ValueError("neither the text of a DKIM record (v=DKIM1; k=rsa; p=…) nor a public key in PEM") from None
    if tags.get(b"v", b"DKIM1") != b"DKIM1" or b"p" not in tags:
        raise ValueError("not a DKIM record (v=DKIM1; k=rsa; p=…)")
    if tags.get(b"k", b"rsa") != b"rsa":
        raise ValueError("only RSA keys (k=rsa) are understood")
    if not tags[b"p"]:
        raise ValueError("the key is revoked: its p= is empty")
    return bytes(tags[b"p"])


def _numbers(encoded: bytes) -> tuple[int, int]:
    """Modulus and exponent of a key in base64. Raises ValueError."""
    from dkim.crypto import UnparsableKeyError, parse_public_key  # noqa: PLC0415  (as above)

    try:
        numbers = parse_public_key(base64.b64decode(b"".join(encoded.split()), validate=True))
        modulus, exponent = numbers["modulus"], numbers["publicExponent"]
    except (UnparsableKeyError, AssertionError, LookupError, ValueError):
        raise ValueError("not an RSA public key") from None
    if not SMALLEST <= modulus.bit_length() <= LARGEST:
        raise ValueError(f"a key of {modulus.bit_length()} bits; from {SMALLEST} to {LARGEST} are taken")
    if not 3 <= exponent < _EXPONENT:
        raise ValueError("not an RSA public key")
    return modulus, exponent

"""How a token's bits stand in a local part. `token` describes them; here they are packed and read."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

LOCAL_PART: Final = 64
"""Octets before the @ (RFC 5321 section 4.5.3.1.1)."""
PATH: Final = 254
"""Octets of an address in MAIL FROM, without its angle brackets (RFC 5321 section 4.5.3.1.3)."""

CODE_BITS: Final = 3
KEY_BITS: Final = 4
DAY_BITS: Final = 10
CAMPAIGN_BITS: Final = 24
HASH_BITS: Final = 45
MAC_BITS: Final = 65
NONCE_OCTETS: Final = 3
"""Two messages of one day and campaign to one address share it once in 16,777,216."""
MESSAGE_NONCE_OCTETS: Final = 8
"""It alone names the record: among ten million live ones a new nonce is taken once in 1.8e12."""

_HEAD_BITS: Final = CODE_BITS + KEY_BITS + DAY_BITS + CAMPAIGN_BITS


class Form(StrEnum):
    """How a token names the recipient."""

    LITERAL = "literal"
    """In plain text."""
    HASHED = "hashed"
    """By a keyed hash."""
    MESSAGE = "message"
    """Not at all: the nonce names the record of a message and its recipients."""


class Shape(NamedTuple):
    """What a form looks like."""

    code: int
    """Version and form in one: 1 to 3 are version 1; 0 and 4 to 7 are free for later ones."""
    body_bits: int
    length: int
    """Characters of base32."""


def _shape(code: int, body_bits: int) -> Shape:
    length, left = divmod(_HEAD_BITS + body_bits + MAC_BITS, 5)
    assert not left, "unused bits could be altered unnoticed"
    return Shape(code, body_bits, length)


SHAPES: Final = {
    Form.LITERAL: _shape(1, NONCE_OCTETS * 8),
    Form.HASHED: _shape(2, NONCE_OCTETS * 8 + HASH_BITS),
    Form.MESSAGE: _shape(3, MESSAGE_NONCE_OCTETS * 8),
}
LONGEST_PREFIX: Final = LOCAL_PART - 1 - max(shape.length for shape in SHAPES.values() if shape.code != 1)
"""Characters of a prefix behind which each form without a literal recipient fits."""
LONGEST_DOMAIN: Final = PATH - LOCAL_PART - 1
"""Octets of a domain with which a full local part is still an address."""


class Fields(NamedTuple):
    """A token's contents, without the recipient in plain text."""

    form: Form
    key_id: int
    day: int
    """The lower bits of the number of the day."""
    campaign: int
    body: int
    """The nonce; in the hashed form the recipient's hash stands behind it."""

    @property
    def head(self) -> int:
        """Everything that stands before the body, as a number."""
        head = SHAPES[self.form].code
        head = head << KEY_BITS | self.key_id
        head = head << DAY_BITS | self.day
        return head << CAMPAIGN_BITS | self.campaign

    @property
    def nonce(self) -> bytes:
        """What tells this message from others."""
        if self.form is Form.MESSAGE:
            return self.body.to_bytes(MESSAGE_NONCE_OCTETS, "big")
        return (self.body >> (HASH_BITS if self.form is Form.HASHED else 0)).to_bytes(NONCE_OCTETS, "big")

    @property
    def recipient_hash(self) -> int:
        """The keyed hash of the recipient: of the hashed form."""
        return self.body & (1 << HASH_BITS) - 1


class Read(NamedTuple):
    """A local part read: nothing of it is believed yet."""

    fields: Fields
    mac: int
    recipient: str
    """As an address; empty where it does not stand there in plain text."""


# RFC 4648 section 6, in lower case. Each character has one reading (Crockford's alphabet takes o for 0 and l for 1),
# so that none can be altered unnoticed, and case says nothing.
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS: Final = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_TO_DIGITS: Final = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_BASE32: Final = re.compile(r"[a-z2-7]+\Z")
_JOINTS: Final = re.compile(r"[=+-]")
"""What base32 has none of."""
# What no mail server quotes, unescapes or routes by: no `!`, `%` or `/` (RFC 5321 appendix F.2), no quotes.
_SAFE_LOCAL: Final = re.compile(r"[a-z0-9_+=-]+(?:\.[a-z0-9_+=-]+)*\Z")
_SAFE_DOMAIN: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+\Z")
_LITERAL: Final = re.compile(
    rf".+=[^=]+=[a-z2-7]{{{SHAPES[Form.LITERAL].length}}}\Z", re.DOTALL | re.IGNORECASE | re.ASCII
)
_BARE: Final = re.compile(
    "|".join(rf".+[+-][a-z2-7]{{{SHAPES[form].length}}}\Z" for form in (Form.HASHED, Form.MESSAGE)),
    re.IGNORECASE | re.ASCII,
)


def literal(recipient: str, joiner: str) -> str:
    """A recipient, given by its address key, in plain text: `user=domain`; empty where it can't stand there safely.

    A local part with capitals (where they are not folded) can't: it would not survive a change of case.
    """
    local, _, domain = recipient.rpartition("@")
    return f"{local}{joiner}{domain}" if _SAFE_LOCAL.match(local) and _SAFE_DOMAIN.match(domain) else ""


def write(fields: Fields, mac: int) -> str:
    """Head, body and MAC in base32."""
    shape = SHAPES[fields.form]
    value = (fields.head << shape.body_bits | fields.body) << MAC_BITS | mac
    pairs = []
    for _ in range((shape.length + 1) // 2):
        pairs.append(_PAIRS[value & 1023])
        value >>= 10
    return "".join(reversed(pairs))[-shape.length :]


def read(extension: str, joiner: str) -> Read | None:
    """What stands behind prefix and delimiter, in lower case; None where it has not the form of a token."""
    named, joined, token = extension.rpartition(joiner)
    if not _BASE32.match(token):
        return None
    form = next((form for form, shape in SHAPES.items() if shape.length == len(token)), None)
    if form is None or (form is Form.LITERAL) != bool(joined):
        return None
    fields, mac = _unpacked(form, int(token.translate(_TO_DIGITS), 32))
    if fields is None:
        return None
    local, _, domain = named.rpartition(joiner)
    recipient = f"{local}@{domain}" if joined else ""
    return Read(fields, mac, recipient) if not joined or literal(recipient, joiner) == named else None


def _unpacked(form: Form, value: int) -> tuple[Fields | None, int]:
    mac = _low(value, MAC_BITS)
    value >>= MAC_BITS
    shape = SHAPES[form]
    body = _low(value, shape.body_bits)
    value >>= shape.body_bits
    campaign = _low(value, CAMPAIGN_BITS)
    value >>= CAMPAIGN_BITS
    day = _low(value, DAY_BITS)
    value >>= DAY_BITS
    fields = Fields(form, _low(value, KEY_BITS), day, campaign, body)
    return (fields if value >> KEY_BITS == shape.code else None), mac


def _low(value: int, bits: int) -> int:
    return value & (1 << bits) - 1


def looks_signed(local: str) -> bool:
    """Whether a whole local part, of any prefix, has the form of a token."""
    return bool(_LITERAL.match(local) or _BARE.match(local))


def written_campaign(local: str) -> int:
    """The campaign (token.campaign_hash) that a whole local part names, of any prefix; 0 where it names none.

    It is only read, not proven.
    """
    if not looks_signed(local):
        return 0
    token = _JOINTS.split(local.lower())[-1]
    form = next(form for form, shape in SHAPES.items() if shape.length == len(token))
    fields, _ = _unpacked(form, int(token.translate(_TO_DIGITS), 32))
    return fields.campaign if fields else 0

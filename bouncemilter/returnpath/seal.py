"""What a key does at one return path: the MAC of a token, and the keyed hash of a recipient."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final

from bouncemilter.returnpath.keys import Key
from bouncemilter.returnpath.layout import HASH_BITS, MAC_BITS, Fields

# BLAKE2's own separation of uses (RFC 7693 section 2.5): no MAC is ever a hash of a recipient.
_MAC: Final = b"rp1-mac"
_RECIPIENT: Final = b"rp1-rcpt"


class Purpose(StrEnum):
    """What a token is good for; it stands in the MAC alone."""

    RETURN = "return"
    """The envelope sender, to which bounces come."""
    UNSUBSCRIBE = "unsubscribe"
    """An address in List-Unsubscribe."""


class Seal:
    """One key at one return path."""

    __slots__ = ("_macs", "_recipients")

    def __init__(self, key: Key, path: str) -> None:
        """`path` is `prefix@domain`, folded: what is signed there is valid nowhere else."""
        # The state after the constant part is copied for each token.
        self._macs = {purpose: _state(key, _MAC, purpose, path) for purpose in Purpose}
        self._recipients = _state(key, _RECIPIENT, path)

    def mac(self, purpose: Purpose, fields: Fields, day: int, recipient: str) -> int:
        """The MAC: 65 bits. `day` is the whole number of the day, of which the token has the lower bits only."""
        state = self._macs[purpose].copy()
        # Fixed widths, and the one part of variable length last: no two tokens make the same octets.
        state.update(
            fields.head.to_bytes(6, "big")
            + day.to_bytes(4, "big", signed=True)
            + fields.body.to_bytes(9, "big")
            + recipient.encode("utf-8", "surrogatepass")
        )
        return _first_bits(state.digest(), MAC_BITS)

    def recipient_hash(self, recipient: str) -> int:
        """The hash of a recipient, given by its address key: 45 bits, the same on each message while the key lives."""
        state = self._recipients.copy()
        state.update(recipient.encode("utf-8", "surrogatepass"))
        return _first_bits(state.digest(), HASH_BITS)


def _state(key: Key, use: bytes, *constant: str) -> hashlib.blake2s:
    state = hashlib.blake2s(key=key.secret, person=use)
    for part in constant:
        octets = part.encode()
        state.update(len(octets).to_bytes(2, "big") + octets)
    return state


def _first_bits(digest: bytes, bits: int) -> int:
    octets = (bits + 7) // 8
    return int.from_bytes(digest[:octets], "big") >> (octets * 8 - bits)

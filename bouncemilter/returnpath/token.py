"""Signed return paths: minting and verifying them.

    PREFIX+user=domain=TOKEN@DOMAIN   literal: the recipient in plain text, where it is safe and the local part has room
    PREFIX+TOKEN@DOMAIN               hashed: the recipient by a keyed hash; or a message token, without a recipient

A local part is never over 64 octets, so a prefix has at most 28. Unsigned VERP never looks like this: what stands
behind the last equals sign there is a domain, with a dot. TOKEN is base32 (RFC 4648 section 6) in lower case, without
padding; it and the recipient survive any change of case. Its bits, the highest first:

    bits  literal 130 bits, 26 characters; hashed 175, 35; message 170, 34
       3  version and form: 1 literal, 2 hashed, 3 message; 0 and 4 to 7 are free for later versions
       4  key id
      10  day: the number of the UTC day since 1970-01-01, modulo 1,024
      24  campaign: the hash of its name; 0 without one
      24  nonce of 24 bits; in the message form 64 bits
      45  in the hashed form: hash of the recipient
      65  MAC

The MAC is keyed BLAKE2s (RFC 7693, `person` b"rp1-mac", the first 65 bits of 32 octets) of

    purpose, `prefix@domain` in lower case and A-labels   each behind its length in two octets
    what stands before the nonce, as a number              6 octets, big endian, as all numbers
    the whole number of the day                            4 octets
    nonce and hash, as one number                          9 octets
    the recipient's address key, in the literal form       the rest, UTF-8

So a token is valid at its own path, for its own purpose and recipient; and, as the MAC has the whole day, one that
comes again after 1,024 days is not taken for a fresh one. The recipient's hash is keyed BLAKE2s too (`person`
b"rp1-rcpt", the first 45 bits) of the path, as above, and the address key. It has no nonce, so that a store can find
it.

Test vectors: path `b@bounces.example.pl`, key id 5, secret octets 00 to 1f, day 2026-11-22, campaign "spring", nonce
010203 (message: 0102030405060708):

    jan@example.com, literal
    b+jan=example.com=fkkz44vjqcaqd2lmoxvsozmx3l@bounces.example.pl
    the same for the purpose `unsubscribe`
    b+jan=example.com=fkkz44vjqcaqdjcx6zuduanczm@bounces.example.pl
    "o'neil"@żółw.example, hashed
    b+jkkz44vjqcaqdeahavctq7qfc4pkn243pja@bounces.example.pl
    message
    b+nkkz44vjqcaqdaqcqmbyiju6r6zsrtga3z@bounces.example.pl
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from bouncemilter import address
from bouncemilter.returnpath import layout
from bouncemilter.returnpath.keys import SECRET_OCTETS, Key, KeyRing
from bouncemilter.returnpath.layout import Fields, Form
from bouncemilter.returnpath.paths import PathIndex, ReturnPath
from bouncemilter.returnpath.seal import Purpose, Seal

LIFE: Final = dt.timedelta(days=30)
"""How long a token is good: mail servers give up after 5 days; queues that hang, and people who reply, take longer."""
LONGEST_LIFE: Final = dt.timedelta(days=365)
"""Far less than the days that a token can tell apart."""
SLACK: Final = dt.timedelta(days=1)
"""How far the clock of the host that signed may run ahead."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY: Final = dt.timedelta(days=1)
_EPOCH_ORDINAL: Final = _EPOCH.toordinal()
_DAYS: Final = 1 << layout.DAY_BITS
_MAC_OCTETS: Final = (layout.MAC_BITS + 7) // 8


class Reason(StrEnum):
    """Why an address is not taken for a signed one. For logs and metrics; no reply to a peer ever says it."""

    UNSIGNED = "unsigned"
    """Not of our paths, or not of the form of a token."""
    FORGED = "forged"
    """The MAC is wrong: altered, of another key, path or purpose, or from the future."""
    EXPIRED = "expired"
    """It was genuine."""


@dataclass(frozen=True, slots=True)
class Refused:
    """No proof of anything."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Verified:
    """A genuine token that has not expired."""

    form: Form
    purpose: Purpose
    path: ReturnPath
    recipient: str
    """The address key of whom we wrote to; empty in the other forms than the literal one."""
    recipient_hash: str
    """12 hexadecimal digits, as Signer.recipient_hash gives them; empty in the other forms than the hashed one."""
    campaign: int
    """campaign_hash() of its name; 0 without one."""
    nonce: str
    """Hexadecimal: 6 digits, which tell messages to one address apart; 16 in a message token, unique by themselves."""
    day: dt.date
    """When it was minted (UTC)."""
    age: dt.timedelta
    """From the beginning of that day; negative where the clock that minted it runs ahead."""
    key_id: int
    _matches: Callable[[str], bool] = field(repr=False, compare=False)

    def matches(self, address: str) -> bool:
        """Whether `address` is the recipient. Never so for a message token: its record knows the recipients."""
        return self._matches(address)


class MintedMessage(NamedTuple):
    """A return path for several recipients."""

    address: str
    nonce: str
    """What Verified.nonce will be: the name of the record of its recipients."""


@dataclass(frozen=True, slots=True)
class SignedPath:
    """A return path with its keys."""

    path: ReturnPath
    keys: KeyRing
    life: dt.timedelta = LIFE
    """How long a token is good after the end of the day on which it was minted."""

    def __post_init__(self) -> None:
        _check(self.path)
        if not dt.timedelta() <= self.life <= LONGEST_LIFE:
            raise ValueError(f"tokens live at most {LONGEST_LIFE.days} days")


class Signer:
    """Mints the signed addresses of one return path."""

    def __init__(self, path: ReturnPath, keys: KeyRing, *, fold_local_part: bool = True) -> None:
        """Raises ValueError where prefix or domain leave no room for tokens."""
        _check(path)
        self._head = path.prefix + path.delimiters[0]
        self._joiner = path.delimiters[1]
        self._domain = address.domain_key(path.domain)
        self._key_id = keys.signing.id
        self._seal = Seal(keys.signing, str(path))
        self._fold = fold_local_part
        self._room = layout.LOCAL_PART - len(self._head) - 1 - layout.SHAPES[Form.LITERAL].length

    def mint(
        self,
        recipient: str,
        *,
        campaign: str = "",
        day: dt.date,
        nonce: bytes | None = None,
        purpose: Purpose = Purpose.RETURN,
    ) -> str:
        """The signed address for a message to `recipient` on `day` (UTC).

        `nonce`: 3 octets, random ones by default. Raises ValueError where `recipient` is no address.
        """
        key = self._key(recipient)
        number = _nonce(nonce, layout.NONCE_OCTETS)
        named = layout.literal(key, self._joiner)
        if named and len(named) <= self._room:
            token = self._token(Form.LITERAL, number, day, campaign, purpose, key)
            return f"{self._head}{named}{self._joiner}{token}@{self._domain}"
        body = number << layout.HASH_BITS | self._seal.recipient_hash(key)
        return f"{self._head}{self._token(Form.HASHED, body, day, campaign, purpose)}@{self._domain}"

    def mint_message(
        self,
        *,
        campaign: str = "",
        day: dt.date,
        nonce: bytes | None = None,
        purpose: Purpose = Purpose.RETURN,
    ) -> MintedMessage:
        """The signed address for a message to several recipients; `nonce`: 8 octets, random ones by default."""
        number = _nonce(nonce, layout.MESSAGE_NONCE_OCTETS)
        token = self._token(Form.MESSAGE, number, day, campaign, purpose)
        return MintedMessage(f"{self._head}{token}@{self._domain}", f"{number:0{2 * layout.MESSAGE_NONCE_OCTETS}x}")

    def recipient_hash(self, recipient: str) -> str:
        """What Verified.recipient_hash is in a hashed token for `recipient`, made with the same key.

        Raises ValueError where `recipient` is no address.
        """
        return _hexadecimal(self._seal.recipient_hash(self._key(recipient)))

    def _key(self, recipient: str) -> str:
        key = address.key(recipient, fold_local_part=self._fold)
        if not key:
            raise ValueError("the recipient is no e-mail address")
        return key

    def _token(self, form: Form, body: int, day: dt.date, campaign: str, purpose: Purpose, recipient: str = "") -> str:
        number = day.toordinal() - _EPOCH_ORDINAL
        fields = Fields(form, self._key_id, number % _DAYS, campaign_hash(campaign), body)
        return layout.write(fields, self._seal.mac(purpose, fields, number, recipient))


class Verifier:
    """Verifies the signed addresses of any number of return paths."""

    def __init__(
        self, signed: Iterable[SignedPath], *, slack: dt.timedelta = SLACK, fold_local_part: bool = True
    ) -> None:
        self._signed = {each.path: each for each in signed}
        self._paths = PathIndex(self._signed)
        self._seals = {
            (path, key.id): Seal(key, str(path)) for path, each in self._signed.items() for key in each.keys.keys
        }
        # What names a key that is not there costs as much as what names one.
        self._decoy = Seal(Key(0, _EPOCH, os.urandom(SECRET_OCTETS)), "")
        self._slack = slack
        self._fold = fold_local_part

    def verify(
        self, envelope_recipient: str, *, at: dt.datetime, purpose: Purpose = Purpose.RETURN
    ) -> Verified | Refused:
        """What a signed address, with or without angle brackets, proves at the time `at` (aware) of its event.

        Raises nothing, whatever `envelope_recipient` is.
        """
        local, _, domain = address.key(envelope_recipient).rpartition("@")
        path = self._paths.find(local, domain)
        found = layout.read(local[len(path.prefix) + 1 :], path.delimiters[1]) if path else None
        if path is None or found is None:
            return Refused(Reason.UNSIGNED)
        fields = found.fields
        # The latest day of these lower bits that is not in the future.
        newest = (at - _EPOCH + self._slack) // _DAY
        day = newest - (newest - fields.day) % _DAYS
        seal = self._seals.get((path, fields.key_id), self._decoy)
        expected = seal.mac(purpose, fields, day, found.recipient)
        genuine = hmac.compare_digest(expected.to_bytes(_MAC_OCTETS, "big"), found.mac.to_bytes(_MAC_OCTETS, "big"))
        age = at - _EPOCH - day * _DAY
        if not genuine:
            return Refused(Reason.FORGED)
        if age >= self._signed[path].life + _DAY:
            return Refused(Reason.EXPIRED)
        is_hashed = fields.form is Form.HASHED
        return Verified(
            form=fields.form,
            purpose=purpose,
            path=path,
            recipient=found.recipient,
            recipient_hash=_hexadecimal(fields.recipient_hash) if is_hashed else "",
            campaign=fields.campaign,
            nonce=fields.nonce.hex(),
            day=dt.date.fromordinal(day + _EPOCH_ORDINAL),
            age=age,
            key_id=fields.key_id,
            _matches=self._hash_matcher(seal, fields.recipient_hash) if is_hashed else self._matcher(found.recipient),
        )

    def _hash_matcher(self, seal: Seal, expected: int) -> Callable[[str], bool]:
        def matches(named: str) -> bool:
            key = address.key(named, fold_local_part=self._fold)
            return bool(key) and seal.recipient_hash(key) == expected

        return matches

    def _matcher(self, recipient: str) -> Callable[[str], bool]:
        def matches(named: str) -> bool:
            return bool(recipient) and address.key(named, fold_local_part=self._fold) == recipient

        return matches


def campaign_hash(name: str) -> int:
    """24 bits for the name of a campaign, case and inner white space kept; 0 for none, and for none only."""
    bare = name.strip()
    if not bare:
        return 0
    digest = hashlib.blake2s(bare.encode("utf-8", "surrogatepass"), digest_size=layout.CAMPAIGN_BITS // 8)
    return int.from_bytes(digest.digest(), "big") or 1


def _hexadecimal(recipient_hash: int) -> str:
    return f"{recipient_hash:0{(layout.HASH_BITS + 3) // 4}x}"


def _nonce(given: bytes | None, octets: int) -> int:
    if given is not None and len(given) != octets:
        raise ValueError(f"the nonce has {octets} octets")
    return int.from_bytes(os.urandom(octets) if given is None else given, "big")


def _check(path: ReturnPath) -> None:
    if len(path.prefix) > layout.LONGEST_PREFIX or not path.prefix.isascii():
        raise ValueError(f"the prefix of a signed return path has at most {layout.LONGEST_PREFIX} ASCII characters")
    if len(address.domain_key(path.domain)) > layout.LONGEST_DOMAIN:
        raise ValueError(f"the domain of a signed return path has at most {layout.LONGEST_DOMAIN} octets")

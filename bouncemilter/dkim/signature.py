"""Signatures of ours in a returned header block.

Most reports return no body, so its hash (bh=) is taken as given: the signature over the headers says that it was ours.

Each subscriber has a signed copy of his own mail, and can send it back in as many reports as he likes. So a signature
speaks only for whom the signed To and Cc name, only for LIFE, and its message is named by what is signed.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import email.utils
import functools
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from bouncemilter import address, limits, text
from bouncemilter.dkim.key import Key

LIFE: Final = dt.timedelta(days=60)
"""So old a signature may be when it comes back: five days of queues, and then the provider's."""
SIGNATURES: Final = 3
"""Signatures by our keys that are tried; a message has one for each of its algorithms."""

_AHEAD: Final = dt.timedelta(days=1)
_LINES: Final = 2000
"""Lines of a header block that is looked at; real ones have 200."""
_SIGNATURES_SEEN: Final = 16
_NAMES: Final = 128
"""Names in h=. Signers who name each field twice, against additions, come to 60."""
_REMEMBERED: Final = 8

_FIELD: Final = re.compile(rb"^([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.MULTILINE)
_SPACE: Final = re.compile(rb"\s+")
_SECONDS: Final = re.compile(rb"\d{1,12}")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_COMMENT: Final = re.compile(r"\([^()]*+\)")
_ANGLE: Final = re.compile(r"[^<>]*<\s*([^<>\s]+)\s*>\s*")
_BARE: Final = re.compile(r'\s*([^\s<>()",:;]+@[^\s<>()",:;]+)\s*')

_Fields = Mapping[bytes, Sequence[tuple[bytes, bytes]]]
"""By name in lower case: the fields of a block from top to bottom, name and value as written."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature of ours that verifies says."""

    recipients: frozenset[str]
    """The keys of the addresses in the signed To and Cc fields: it speaks for these alone."""
    message_id: str
    """The Message-ID with its angle brackets; empty where it is not signed."""
    digest: str
    """What was signed, hashed, in hexadecimal: the same for one message by whatever way it comes."""


class _Candidate(NamedTuple):
    """A signature that names a key of ours."""

    name: bytes
    value: bytes
    tags: Mapping[bytes, bytes]
    key: Key


class Verifier:
    """Looks for signatures by our keys. Never raises on input; a check costs a fraction of a millisecond."""

    def __init__(self, keys: Iterable[Key], *, fold_local_part: bool = True) -> None:
        self._keys = {(key.domain.encode(), key.selector.encode()): key for key in keys}
        self._fold = fold_local_part
        # One message comes to many envelope recipients of ours, and is checked once.
        self._remembered = functools.lru_cache(_REMEMBERED)(self._check)

    def verify(self, block: bytes, at: dt.datetime) -> Signed | None:
        """What our signature in a header block with `\\n` line ends says, at the time of the report; None without."""
        return self._remembered(block, at) if self._keys and block else None

    def _check(self, block: bytes, at: dt.datetime) -> Signed | None:
        if len(block) > limits.HEADER_BLOCK or block.count(b"\n") > _LINES:
            return None
        fields: dict[bytes, list[tuple[bytes, bytes]]] = {}
        for name, value in _FIELD.findall(block):
            fields.setdefault(name.lower(), []).append((name, value))
        candidates = list(self._candidates(fields))[:SIGNATURES]
        return next((found for each in candidates if (found := self._signed(each, fields, at))), None)

    def _candidates(self, fields: _Fields) -> Iterator[_Candidate]:
        for name, value in fields.get(b"dkim-signature", ())[:_SIGNATURES_SEEN]:
            tags = _tags(value) if len(value) <= limits.HEADER_LINE else {}
            key = self._keys.get((tags.get(b"d", b"").lower(), tags.get(b"s", b"").lower()))
            if key:
                yield _Candidate(name, value, tags, key)

    def _signed(self, candidate: _Candidate, fields: _Fields, at: dt.datetime) -> Signed | None:
        tags = candidate.tags
        names = tags.get(b"h", b"").lower().split(b":")
        # A second From, which is not signed, would be shown instead (RFC 6376 section 8.15).
        if not _is_whole(tags) or b"from" not in names or len(fields.get(b"from", ())) != 1 or len(names) > _NAMES:
            return None
        left = {name: list(fields.get(name, ())) for name in names}
        selected = [left[name].pop() for name in names if left[name]]  # from the bottom up (section 5.4.2)
        if not _is_in_time(tags, selected, at):
            return None
        content = _canonical([*selected, (candidate.name, _without_signature(candidate.value))], tags)
        if content is None or not _verifies(content, tags[b"b"], candidate.key):
            return None
        return Signed(
            recipients=frozenset(self._recipients(selected)),
            message_id=text.whole_message_id(_text(selected, b"message-id")),
            digest=hashlib.sha256(content).hexdigest()[:32],
        )

    def _recipients(self, selected: Iterable[tuple[bytes, bytes]]) -> Iterator[str]:
        for name, value in selected:
            if name.lower() in (b"to", b"cc"):
                for each in _mailboxes(value.decode("utf-8", "replace")):
                    if key := address.key(each, fold_local_part=self._fold):
                        yield key


def _tags(value: bytes) -> dict[bytes, bytes]:
    """The tags of a signature (RFC 6376 section 3.2), white space taken out; none where they are malformed."""
    from dkim.util import InvalidTagValueList, parse_tag_value  # noqa: PLC0415  (dkimpy takes DNS along: 70 ms)

    try:
        return {name: _SPACE.sub(b"", each) for name, each in parse_tag_value(value).items()}
    except InvalidTagValueList:
        return {}


def _is_whole(tags: Mapping[bytes, bytes]) -> bool:
    """Whether it is of the version and algorithm that are taken, and has what it must have (section 3.5)."""
    return tags.get(b"v") == b"1" and tags.get(b"a") == b"rsa-sha256" and bool(tags.get(b"bh")) and bool(tags.get(b"b"))


def _is_in_time(tags: Mapping[bytes, bytes], selected: Iterable[tuple[bytes, bytes]], at: dt.datetime) -> bool:
    """Whether it was made within LIFE before the report, by its own time or the signed Date, and is not over."""
    now = at.timestamp()
    expires = tags.get(b"x")
    if expires is not None and not (_SECONDS.fullmatch(expires) and now <= int(expires)):
        return False
    made = _seconds(tags[b"t"]) if b"t" in tags else _dated(_text(selected, b"date"))
    return made is not None and now - LIFE.total_seconds() <= made <= now + _AHEAD.total_seconds()


def _seconds(value: bytes) -> float | None:
    return float(value) if _SECONDS.fullmatch(value) else None


def _dated(value: str) -> float | None:
    try:
        found = email.utils.parsedate_to_datetime(value)
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp()
    except (ValueError, TypeError, LookupError, OverflowError):
        return None


def _text(selected: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str:
    """The value of the first signed field of a name, at most limits.MESSAGE_ID characters; empty without."""
    value = next((value for name, value in selected if name.lower() == wanted), b"")
    return value.replace(b"\n", b"").strip()[: limits.MESSAGE_ID].decode("ascii", "replace")


def _without_signature(value: bytes) -> bytes:
    """A signature's value with nothing after b= (section 3.7)."""
    tags = value.split(b";")
    for place, tag in enumerate(tags):
        name, equals, _ = tag.partition(b"=")
        if name.strip() == b"b":
            tags[place] = name + equals
    return b";".join(tags)


def _canonical(fields: Iterable[tuple[bytes, bytes]], tags: Mapping[bytes, bytes]) -> bytes | None:
    """What was signed: the fields in the canonical form of c= (section 3.4), the last without its line end."""
    from dkim.canonicalization import CanonicalizationPolicy, InvalidCanonicalizationPolicyError  # noqa: PLC0415

    try:
        policy = CanonicalizationPolicy.from_c_value(tags.get(b"c", b"simple/simple"))
    except InvalidCanonicalizationPolicyError:
        return None
    as_sent = [(name, value.replace(b"\n", b"\r\n") + b"\r\n") for name, value in fields]
    return b"".join(name + b":" + value for name, value in policy.canonicalize_headers(as_sent)).removesuffix(b"\r\n")


def _verifies(content: bytes, signature: bytes, key: Key) -> bool:
    from dkim.crypto import RSASSA_PKCS1_v1_5_verify  # noqa: PLC0415  (as above)

    try:
        raw = base64.b64decode(signature, validate=True)
    except binascii.Error:
        return False
    # dkimpy does not look at the length (RFC 8017 section 8.2.2), and takes long for long ones.
    if len(raw) != key.octets:
        return False
    numbers = {"modulus": key.modulus, "publicExponent": key.exponent}
    return bool(RSASSA_PKCS1_v1_5_verify(hashlib.sha256(content), raw, numbers))


def _mailboxes(value: str) -> list[str]:
    """The addresses of a To or Cc field; none of display names, which subscribers choose themselves."""
    entries = re.split("[,;]", _COMMENT.sub(" ", _QUOTED.sub(" ", value)))[: limits.RECIPIENTS]
    angled = [found[1] for each in entries if (found := _ANGLE.fullmatch(each))]
    # A bare address beside one in angle brackets may be a display name with a comma, which nobody has quoted.
    return angled or [found[1] for each in entries if (found := _BARE.fullmatch(each))]

"""Addresses in running text, found from their @ outwards: most text has none, and is passed over at memory's speed."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from typing import Final, NamedTuple

from bouncemilter import limits

TRIED: Final = 20 * limits.RECIPIENTS
"""Signs @ in one text that are looked at."""
_LOCAL: Final = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]++\Z")
_ATOM: Final = string.ascii_letters + string.digits + "_!#$%&'*+/=?^`{|}~.-"
"""The characters of _LOCAL that are ASCII."""
_DOMAIN: Final = re.compile(r"(?:[\w-]{1,63}+\.?){1,16}+")
_LOCAL_PART: Final = 64
"""Octets of a local part (RFC 5321 section 4.5.3.1.1)."""


class Mention(NamedTuple):
    """An address as it stands in a text, and where."""

    written: str
    start: int
    end: int


def mentions(words: str) -> Iterator[Mention]:
    """Every address in `words`, in order; a local part may be quoted."""
    end = 0
    at = words.find("@")
    for _ in range(TRIED):
        if at < 0:
            return
        domain = _DOMAIN.match(words, at + 1)
        start = _begin(words, at) if domain else -1
        if domain and start >= end:
            end = domain.end()
            yield Mention(words[start:end], start, end)
        at = words.find("@", at + 1)


def _begin(words: str, at: int) -> int:
    """Where the local part before the @ at `at` begins; -1 where there is none, or one that is too long."""
    if words[at - 1 : at] == '"':
        opening = words.rfind('"', max(0, at - _LOCAL_PART), at - 1)
        return opening if 0 <= opening < at - 2 and "\n" not in words[opening:at] else -1
    before = words[max(0, at - _LOCAL_PART - 1) : at]
    bare = before.rstrip(_ATOM)
    if len(bare) < len(before) and bare[-1:].isascii():  # as most are; a pattern is tried at each of 65 places
        return -1 if len(before) - len(bare) > _LOCAL_PART else _unless_at(words, at - len(before) + len(bare))
    local = _LOCAL.search(words, max(0, at - _LOCAL_PART - 1), at)
    if local is None or at - local.start() > _LOCAL_PART:
        return -1
    return _unless_at(words, local.start())


def _unless_at(words: str, start: int) -> int:
    """`start`; -1 where another @ stands before it."""
    return -1 if words[start - 1 : start] == "@" and start else start

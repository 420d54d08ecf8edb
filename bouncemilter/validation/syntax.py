"""Whether an address is written as one can be: RFC 5321 section 4.1.2, RFC 6531, IDNA 2008 (RFC 5891)."""

from __future__ import annotations

import re
from typing import Final

import idna

from bouncemilter.validation.reason import Reason

_LOCAL_PART: Final = 64
"""Octets (RFC 5321 section 4.5.3.1.1)."""
_DOMAIN: Final = 253
"""Octets: 255 of RFC 1035 section 2.3.4 with a length octet before each label and the root's."""
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")
_NUMBER: Final = re.compile(r"[0-9]+\Z|0x[0-9a-f]*\Z")
# RFC 2606, RFC 6761, RFC 6762, RFC 7686, RFC 8375, RFC 9476.
_RESERVED_ENDS: Final = frozenset("test example invalid localhost local onion alt arpa internal".split())
_RESERVED: Final = frozenset(("example.com", "example.net", "example.org"))
_ANY_DOTS: Final = frozenset(("docomo.ne.jp", "ezweb.ne.jp", "au.com"))
"""Japanese carriers that gave out `a..b` and `a.` until 2009; those mailboxes live on."""


def local_part_faults(local: str, domain: str) -> tuple[Reason, ...]:
    """What is wrong before the @ of an address that address.split understands; `domain` as A-label."""
    reasons = []
    if len(local.encode("utf-8", "replace")) > _LOCAL_PART:
        reasons.append(Reason.LOCAL_PART)
    quoted = local.startswith('"')
    if not quoted and (local[0] == "." or local[-1] == "." or ".." in local):
        reasons.append(Reason.DOTS if domain in _ANY_DOTS else Reason.LOCAL_PART)
    if quoted:
        reasons.append(Reason.QUOTED)
    if not local.isascii():
        reasons.append(Reason.SMTPUTF8)
    return tuple(dict.fromkeys(reasons))


def domain_faults(name: str) -> tuple[Reason, ...]:
    """What is wrong with the domain of an address that address.split understands, as address.domain_key gives it."""
    if name.startswith("["):
        return (Reason.DOMAIN_LITERAL,)
    labels = name.split(".")
    if not name.isascii() or len(name) > _DOMAIN or len(labels) < 2 or not all(map(_LABEL.match, labels)):
        return (Reason.DOMAIN_SYNTAX,)
    if _NUMBER.match(labels[-1]) or not _are_idn(labels):
        return (Reason.DOMAIN_SYNTAX,)
    if labels[-1] in _RESERVED_ENDS or ".".join(labels[-2:]) in _RESERVED:
        return (Reason.RESERVED_DOMAIN,)
    return ()


def _are_idn(labels: list[str]) -> bool:
    """Whether all labels that claim to be A-labels are some (RFC 5890 section 2.3.2.1)."""
    try:
        for label in labels:
            if label.startswith("xn--"):
                idna.decode(label)
    except (idna.IDNAError, UnicodeError):
        return False
    return True

"""Addresses: splitting them, and the canonical key under which they are counted and suppressed. A leaf."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import idna

from bouncemilter import limits
from bouncemilter.text import visible

# RFC 5321 section 4.1.2, with RFC 6531's UTF-8. Mailboxes such as `a..b` and `a.` exist in Japan, mostly unquoted.
_UNQUOTED = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\U0010ffff-]+\Z")
_LABEL = r"[A-Za-z0-9_\u0080-\U0010ffff-]+"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z|\[[A-Za-z0-9:.-]+\]\Z")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r'(["\\])')
# UTS 46 takes these for dots, and str.lower() makes a `k` of the Kelvin sign: another person's domain.
_LOOKALIKES = re.compile("[\u3002\uff0e\uff61\u212a]")
_COMMENT = re.compile(r"\([^()]*\)")
_ADORNED: Final = 4096
"""Characters of what is looked at for comments; no command line of SMTP is as long (RFC 5321 section 4.5.3.1.4)."""
# What almost every address looks like: its key is itself in lower case.
_PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\Z")
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Address(NamedTuple):
    """A mailbox: local part as written, domain as written."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def split(text: str) -> Address | None:
    """The mailbox in `text`: angle brackets, an `rfc822;` type and a source route are taken off.

    None where it is no address: no @, an empty side or label, white space and specials outside quotes, what text.clean
    takes out, over 320 octets.
    Source: RFC 5321 section 4.1.2; RFC 3461 section 4.2 for the type.
    """
    bare = text.strip()
    kind, semicolon, rest = bare.partition(";")
    if semicolon and kind.strip().lower() in ("rfc822", "utf-8", "smtp"):
        bare = rest.strip()
    if bare.startswith("<") and bare.endswith(">"):
        bare = bare[1:-1].strip()
    if bare.startswith("@") and ":" in bare:  # an obsolete source route
        bare = bare.partition(":")[2]
    local, at, domain = bare.rpartition("@")
    domain = domain.removesuffix(".")
    if not at or not local or len(bare) > limits.ADDRESS:
        return None
    if not bare.isascii() and len(bare.encode("utf-8", "replace")) > limits.ADDRESS:
        return None
    if not bare.isprintable() and visible(bare) != bare:
        return None
    if not _DOMAIN.match(domain) or _has_space(domain):
        return None
    quoted = len(local) >= 2 and local[0] == local[-1] == '"'
    if not quoted and (not _UNQUOTED.match(local) or _has_space(local)):
        return None
    return Address(local, domain)


def unadorned(text: str) -> str:
    """An address as mail servers deliver to it: without source route, comments, white space around the @ and, outside
    quotes, backslashes. `split` is strict, and refuses all of these but the route; servers are not.

    Source: RFC 5321 appendix C, RFC 5322 section 4.4.
    """
    bare = text.strip()
    if bare.startswith("@") and ":" in bare:
        bare = bare.partition(":")[2].strip()
    if '"' in bare or len(bare) > _ADORNED:
        return bare
    bare = _QUOTED_PAIR.sub(r"\1", bare)
    while (without := _COMMENT.sub("", bare)) != bare:
        bare = without
    local, at, domain = bare.rpartition("@")
    return f"{local.strip()}{at}{domain.strip()}"


def _has_space(text: str) -> bool:
    """Whether any white space, Unicode's included, stands in a text that is not empty."""
    return text.split(maxsplit=1) != [text]


def key(address: str | Address, *, fold_local_part: bool = True) -> str:
    """The canonical key of an address; an empty string where it is no address.

    Domain as A-label in lower case, local part in ASCII lower case (unless `fold_local_part` is false), unneeded
    quotes and backslashes removed. Dots, tags and look-alike letters are never folded: they may be another person's
    address. The key of a key is the key.
    """
    if fold_local_part and isinstance(address, str) and len(address) <= limits.ADDRESS and _PLAIN.match(address):
        return address.lower()
    parts = split(address) if isinstance(address, str) else address
    if parts is None:
        return ""
    local = _unquote(parts.local)
    if fold_local_part:
        local = local.translate(_ASCII_LOWER)
    found = f"{local}@{domain_key(parts.domain)}"
    # A-labels and needed backslashes may be longer than what was written.
    return found if len(found.encode("utf-8", "replace")) <= limits.ADDRESS else ""


def domain_key(domain: str) -> str:
    """A domain as A-label in lower case (RFC 5890); as it is, in lower case, where IDNA refuses it."""
    bare = domain.strip().removesuffix(".")
    if _LOOKALIKES.search(bare):
        return bare.translate(_ASCII_LOWER)
    lower = bare.lower()
    if lower.isascii():
        return lower
    try:
        return idna.encode(lower).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return lower


def _unquote(local: str) -> str:
    """The local part without quotes where split() needs none, else with only the backslashes that it needs.

    Source: RFC 5321 section 4.1.2.
    """
    if len(local) < 2 or not (local[0] == local[-1] == '"'):
        return local
    inside = _QUOTED_PAIR.sub(r"\1", local[1:-1])
    if _UNQUOTED.match(inside) and not _has_space(inside):
        return inside
    return '"' + _SPECIAL.sub(r"\\\1", inside) + '"'

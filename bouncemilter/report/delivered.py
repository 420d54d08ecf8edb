"""What the last mail server wrote above a message: to whom it came, and from whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from bouncemilter.report.header import Headers
from bouncemilter.returnpath import Ownership

Owner = Callable[[str], Ownership | None]

_DELIVERY: Final = (b"delivered-to", b"x-original-to", b"envelope-to", b"x-envelope-to")
"""Written at delivery: Postfix, qmail and Dovecot; Postfix; Exim; others."""
_WRITTEN: Final = (b"to", b"cc")
_OURS: Final = (Ownership.RETURN_PATH, Ownership.WATCHED)
"""A return path says more than the address of the mailbox that it was delivered to."""


def recipient(headers: Headers, owner: Owner) -> str:
    """The address of ours that a message came to; empty where it names none. `owner`: what an address is to us."""
    for names in (_DELIVERY, _WRITTEN):
        found = [(each, owner(each)) for each in _addresses(headers, names)]
        for wanted in _OURS:
            for each, ownership in found:
                if ownership is wanted:
                    return each
    return ""


def sender(headers: Headers) -> str:
    """The envelope sender, from Return-Path (RFC 5321 section 4.4); the null sender is empty.

    Where there is none, who stands in From: a mail that a person may have written then stays one.
    """
    return headers.address(b"return-path" if b"return-path" in headers else b"from")


def _addresses(headers: Headers, names: tuple[bytes, ...]) -> Iterator[str]:
    for name in names:
        for value in headers.all(name):
            found = Headers(b"x: " + value, set()).address(b"x")
            if found:
                yield found

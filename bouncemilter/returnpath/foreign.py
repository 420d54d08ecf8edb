"""Return paths as other software writes them: whom VERP names, and which senders are wrapped already.

    Postfix, Mailman  bounces+user=example.pl@host             default_verp_delimiters; VERP_FORMAT
    Sympa             list-owner+user==example.pl@host         bounce+user==example.pl==list@host, with ==w, ==r behind
    qmail, ezmlm      list-return-17-user=example.pl@host      17 is the number of the message
    BATV              prvs=0123ABCDEF=user@host                draft-levine-smtp-batv; Barracuda's btv1==…==user
    SRS               SRS0=HASH=TT=example.pl=user@host        SRS1=HASH=first.example==HASH=TT=example.pl=user@host

Nothing here is signed by us: it is weak evidence at most.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from bouncemilter import address
from bouncemilter.returnpath import layout

_LISTS_NUMBER: Final = re.compile(r"\d{1,10}-(?=[^=])")
_QMAIL: Final = re.compile(r"(?i).+-return-\d{1,10}(?:-|\Z)")
_VERP: Final = re.compile(r"[^+-].*?[+-](?P<extension>.+=.+\Z)", re.DOTALL)
# draft-levine-smtp-batv section 4.1: key digit, three digits of the day, six hexadecimal digits; Barracuda's own tag.
_BATV: Final = re.compile(r"(?i)(?:prvs=[0-9]{4}[0-9a-f]{6}=|btv1==[0-9a-z]{4,24}==)(?P<local>.+)\Z", re.DOTALL)
# BATV's siblings, and tags that have another length: what they wrap can't be told.
_TAGGED: Final = re.compile(r"(?i)(?:prvs|msprvs1|btv1)=")
_SRS0: Final = re.compile(
    r"(?i)(?:SRS0|SRS1[=+-][^=]+=[^=]+=)[=+-][^=]+=[^=]+=(?P<domain>[^=]+)=(?P<local>.+)\Z", re.DOTALL
)
_SRS: Final = re.compile(r"(?i)SRS[01][=+-]")


class Wrapping(StrEnum):
    """What an envelope sender carries beside the address of the sender."""

    VERP = "verp"
    """A recipient, by whatever software."""
    QMAIL = "qmail"
    """The number of a list's message (ezmlm), with or without a recipient."""
    BATV = "batv"
    SRS = "srs"
    SIGNED = "signed"
    """Our own token, or another bouncemilter's, by its form."""


def named_recipient(extension: str, *, prefix: str = "", joiner: str = "=") -> str:
    """The address that VERP names in `extension`, the local part behind prefix and delimiter; empty where it is none.

    `prefix` matters for ezmlm's numbers alone: behind `list-return` a number is the message's, not the user's.
    """
    if prefix.lower().endswith("-return"):
        extension = _LISTS_NUMBER.sub("", extension, count=1)
    if joiner * 2 in extension:  # Sympa: the list's name may follow, then a letter for the kind of message
        local, domain = extension.split(joiner * 2)[:2]
        if found := _whole(local, domain):
            return found
    local, _, domain = extension.rpartition(joiner)
    return _whole(local, domain)


def wrapping(sender: str) -> Wrapping | None:
    """What `sender`, an envelope sender, is wrapped in; None where it is somebody's plain address, or none."""
    parts = address.split(sender)
    if parts is None:
        return None
    local = parts.local.strip('"')
    if _TAGGED.match(local):
        return Wrapping.BATV
    if _SRS.match(local):
        return Wrapping.SRS
    if layout.looks_signed(local):
        return Wrapping.SIGNED
    if _QMAIL.match(local):
        return Wrapping.QMAIL
    found = _VERP.match(local)
    return Wrapping.VERP if found and named_recipient(found["extension"]) else None


def is_wrapped(sender: str) -> bool:
    """Whether `sender` carries something already, so that it is never rewritten."""
    return wrapping(sender) is not None


def unwrap(sender: str) -> str:
    """Who the sender was before BATV or SRS wrapped the address; empty where neither did, or it can't be told."""
    parts = address.split(sender)
    if parts is None:
        return ""
    local = parts.local.strip('"')
    if found := _BATV.match(local):
        return _whole(found["local"], parts.domain)
    found = _SRS0.match(local)
    return _whole(found["local"], found["domain"]) if found else ""


def _whole(local: str, domain: str) -> str:
    written = f"{local}@{domain}"
    return written if local and "." in domain and address.split(written) else ""

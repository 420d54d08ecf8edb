"""The mails that are attached to one: forwarded to be looked at, by Outlook, Thunderbird, Gmail, Apple Mail and others.

Content-Type: message/rfc822; name="…"                    all of them, as attachment
Content-Type: application/octet-stream; name="….eml"      a file that was saved before
Content-Type: application/vnd.ms-outlook; name="….msg"    the same, by Outlook
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from bouncemilter import limits, outlook
from bouncemilter.model import Defect
from bouncemilter.report import header
from bouncemilter.report.message import Message
from bouncemilter.report.mime import Part

_OUTLOOK: Final = b"application/vnd.ms-outlook"
_FILES: Final = (b"application/octet-stream", b"application/x-msg", b"application/msoutlook")


class Attached(NamedTuple):
    """One attached mail."""

    raw: bytes
    """Its first limits.KEPT_BYTES octets; nothing where it can't be read."""
    truncated: bool
    """Whether it has more."""
    fault: str = ""
    """Why it can't be read."""


def mails(message: Message) -> Iterator[Attached]:
    """The mails attached to `message`, not those within them. What was cut off with its end is given as far as it goes.

    Each is decoded when it is asked for.
    """
    truncated = Defect.TRUNCATED in message.defects
    for part in message.parts:
        name = _name(part)
        if part.is_message or name.endswith((".eml", ".msg")) or part.content_type == _OUTLOOK or _is_file(part, name):
            found = _opened(part, name, cut=truncated and part.end >= len(message.data))
            if found:
                yield found


def _is_file(part: Part, name: str) -> bool:
    """Whether it may be a mail without a name that says so."""
    return part.content_type in _FILES and "." not in name


def _opened(part: Part, name: str, *, cut: bool) -> Attached | None:
    raw = part.content(limits.KEPT_BYTES + 1)
    if raw.startswith(outlook.MAGIC):
        if cut or len(raw) > limits.KEPT_BYTES:
            return Attached(b"", truncated=True, fault="an Outlook message that is too large")
        try:
            raw = outlook.to_rfc822(raw)
        except outlook.OutlookError as error:
            return Attached(b"", truncated=False, fault=f"no Outlook message that can be read: {error}")
    elif name.endswith(".msg") or part.content_type == _OUTLOOK:
        return Attached(b"", truncated=False, fault="no Outlook message")
    elif not part.is_message and not name.endswith(".eml"):
        return None
    return Attached(raw[: limits.KEPT_BYTES], cut or len(raw) > limits.KEPT_BYTES)


def _name(part: Part) -> str:
    """The file's name in lower case."""
    for field, parameter in ((b"content-disposition", b"filename"), (b"content-type", b"name")):
        if found := header.parameters(part.headers.raw(field), set()).get(parameter):
            return header.decode(found, set()).strip().lower()
    return ""

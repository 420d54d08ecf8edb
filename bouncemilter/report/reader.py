"""The one entry: the readers of all kinds of messages, specific before generic, and what they have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Final

from bouncemilter.model import Defect, Kind, Report
from bouncemilter.report import arf, autoreply, challenge, dsn, freeform, machine, mdn, unsubscribe, wrapped
from bouncemilter.report.deadline import Deadline
from bouncemilter.report.message import Message

Reader = Callable[[Message], Report | None]

READERS: Final[tuple[Reader, ...]] = (
    arf.read,
    mdn.read,
    dsn.read,
    wrapped.read,
    machine.read,
    challenge.read,
    freeform.read,
    unsubscribe.read,
    autoreply.read,
)
"""The first that understands a message has the word; a message that none understands is `mail`."""

_ORDER: Final = {defect: index for index, defect in enumerate(Defect)}


def read(raw: bytes, *, truncated: bool = False, deadline: Deadline | None = None) -> Report:
    """What one message says. Never raises: what can't be read is `mail` with the defect `unparseable`.

    `raw` is the message with its headers, any line ends; `truncated` says that it was longer than what is given. Where
    the time is over (limits.PARSE_SECONDS from now, unless `deadline` is given) what was read until then is told.
    """
    try:
        return understand(raw, truncated=truncated, deadline=deadline)
    except Exception:  # noqa: BLE001  (a defect of ours must not eat a mail, nor stop the daemon; the fuzzer looks for it)
        return Report(kind=Kind.MAIL, defects=(Defect.UNPARSEABLE,))


def understand(raw: bytes, *, truncated: bool = False, deadline: Deadline | None = None) -> Report:
    """As `read`, but a defect of ours raises: for fuzzing."""
    message = Message(raw, truncated=truncated, deadline=deadline)
    return dataclasses.replace(
        _first(message) or Report(kind=Kind.MAIL),
        sender=message.sender,
        message_id=message.message_id,
        top_received=message.top_received,
        defects=tuple(sorted(message.defects, key=_ORDER.__getitem__)),
    )


def _first(message: Message) -> Report | None:
    for reader in READERS:
        if message.is_late():
            return None
        found = reader(message)
        if found is not None:
            return found
    return None

"""The one entry: the readers of all kinds of messages, specific before generic, and what they have in common."""

from __future__ import annotations

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

ALERT_HEADER: Final = "X-Bouncemilter-Alert"
"""Marks our own mails to the operator. They quote refusals, and are `mail` whatever they say; as is anybody's mail with
this header: people get it."""
ALERT_ID: Final = ".bouncemilter-alert@"
"""Stands in their Message-ID: what returns one, as only a host that bounces to From does, is `mail`, too."""
_ALERT: Final = ALERT_HEADER.lower().encode()
_OTHERS: Final = (b"message/feedback-report", *mdn.TYPES)
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
    found = _first(message)
    if found is None or (found.returned is not None and ALERT_ID in found.returned.message_id):
        found = Report(kind=Kind.MAIL)
    _complete(found, message)
    return found


def _complete(found: Report, message: Message) -> None:
    """Fill in what is the same for all readers.

    The report is nobody else's yet, so it is completed in place: to make its like anew is 2 % of all work.
    """
    defects = tuple(sorted(message.defects, key=_ORDER.__getitem__)) if message.defects else ()
    object.__setattr__(found, "sender", message.sender)
    object.__setattr__(found, "message_id", message.message_id)
    object.__setattr__(found, "top_received", message.top_received)
    object.__setattr__(found, "defects", defects)


def _first(message: Message) -> Report | None:
    if _ALERT in message.headers:
        return None
    if _is_delivery_report(message) and not message.is_late() and (found := dsn.read(message)) is not None:
        return found
    for reader in READERS:
        if message.is_late():
            return None
        found = reader(message)
        if found is not None:
            return found
    return None


def _is_delivery_report(message: Message) -> bool:
    """Whether its types alone say that it is one, as those of most bounces do."""
    return (
        message.content_type == b"multipart/report"
        and message.part(*dsn.STATUS_TYPES) is not None
        and message.part(*_OTHERS) is None
    )

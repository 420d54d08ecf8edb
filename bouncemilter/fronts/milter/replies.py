"""From dispositions to what the MTA is told at the end of a message."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import milter

from bouncemilter import address
from bouncemilter.fronts.label import HEADER
from bouncemilter.fronts.milter.negotiation import Negotiated
from bouncemilter.model import Disposition

# Code and enhanced code must be of one class, or Postfix gives up the whole session.
_DEFER: Final = ("451", "4.3.0", "Temporary failure, please try again later")

_MARKS: Final = 100
"""Incoming copies of our header that are removed. Each costs the MTA a walk through its queue file, and only a hostile
message has more than one."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How one message ends."""

    reply: int
    """`milter.ACCEPT`, `DISCARD` or `TEMPFAIL`."""
    dispositions: tuple[Disposition, ...]
    """What is really done for each recipient of ours, in order."""
    deleted: tuple[str, ...] = ()
    """RCPT arguments to take away."""

    @property
    def tagged(self) -> bool:
        """Whether the message goes on to a recipient of ours, and so gets our header."""
        return self.reply == milter.ACCEPT and Disposition.PASS in self.dispositions


def ending(
    ours: Mapping[str, str], dispositions: Sequence[Disposition], *, others: bool, negotiated: Negotiated
) -> Ending:
    """What to do with a message for `ours` (RCPT argument → address) and, if `others`, for people who aren't ours.

    A tempfail for one is a tempfail for all. DISCARD only where nobody else gets the message. Where the MTA can't take
    away a single recipient, a message for others too is recorded and delivered. ValueError unless there is one
    disposition for each recipient.
    """
    decided = dict(zip(ours, dispositions, strict=True))
    if Disposition.TEMPFAIL in dispositions:
        return Ending(milter.TEMPFAIL, (Disposition.TEMPFAIL,) * len(ours))
    deleted = tuple(argument for argument, each in decided.items() if each is Disposition.DISCARD)
    if len(deleted) == len(ours) and not others:
        return Ending(milter.DISCARD, tuple(dispositions))
    if deleted and not negotiated.can_delete:
        return Ending(milter.ACCEPT, (Disposition.PASS,) * len(ours))
    return Ending(milter.ACCEPT, tuple(dispositions), deleted)


@dataclass(frozen=True, slots=True)
class Tagging:
    """How our header is put onto a passed message."""

    label: str
    """Its value: the kind of the message, where it was read."""
    marks: int
    """Incoming copies of the header."""
    negotiated: Negotiated


def carry_out(context: Any, end: Ending, tagging: Tagging) -> int:
    """Tell the MTA through libmilter's `context`; the reply to return. `milter.error` where the connection broke."""
    if end.reply == milter.TEMPFAIL:
        return defer(context)
    for argument in end.deleted:
        take_out(context, argument)
    if end.tagged:
        _tag(context, tagging)
    return end.reply


def take_out(context: Any, argument: str) -> None:
    """Take a recipient away, by the argument of its RCPT.

    Postfix has noted it without source route and comments, and finds what it is told only if that is the same.
    """
    context.delrcpt(argument)
    written = argument.strip().removeprefix("<").removesuffix(">")
    if (plain := address.unadorned(written)) != written:
        context.delrcpt(f"<{plain}>")


def defer(context: Any) -> int:
    """TEMPFAIL with the one text that the peer ever gets to read."""
    with contextlib.suppress(milter.error):  # without the text it is a temporary failure all the same
        context.setreply(*_DEFER)
    return int(milter.TEMPFAIL)


def _tag(context: Any, tagging: Tagging) -> None:
    if tagging.negotiated.can_change:
        # From the last to the first: MTAs differ in whether the rest moves up.
        for index in range(min(tagging.marks, _MARKS), 0, -1):
            context.chgheader(HEADER, index, "")
    if tagging.negotiated.can_add:
        context.addheader(HEADER, f" {tagging.label}" if tagging.negotiated.leading_space else tagging.label)

"""Mails that people forward as attachment to review@ of a return-path domain.

Each attached mail is judged and recorded as if it had come to the domain's return path, without what an envelope
proves: what is in it decides how far it is believed, so that nobody gets further by review@ than by writing to the
return path itself.
The mail around it is a person's and goes on to people, whatever comes of this.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import structlog

from bouncemilter.model import Disposition, Envelope, Source, Verdict
from bouncemilter.pipeline import balance
from bouncemilter.pipeline.flight import Flight
from bouncemilter.report import attached, delivered, moment
from bouncemilter.report.attached import Attached
from bouncemilter.report.header import Headers
from bouncemilter.report.message import Message, split_head
from bouncemilter.returnpath import Recognizer

if TYPE_CHECKING:
    from bouncemilter.pipeline.path import Pipeline

ATTACHED: Final = 20
"""Mails read of one message: one message must not do what would take a stranger a thousand."""
NAMED: Final = 8
"""Different verdicts in the label, which is one line of a header."""

_log = structlog.get_logger()


class Review:
    """One message to review@, and the flights of the mails attached to it.

    A context manager like a Flight: each attached mail counts in the balances, and is disposed of as the message is.
    """

    def __init__(self, pipeline: Pipeline, recognizer: Recognizer, envelope: Envelope, head: bytes, size: int) -> None:
        self._pipeline = pipeline
        self._recognizer = recognizer
        self._envelope = envelope
        self._head = head
        self._size = size
        self._stack = ExitStack()
        self._flights: list[Flight] = []
        self._unreadable = 0
        self._more = False

    async def process(self) -> Disposition:
        """Read, judge and commit what is attached: PASS after the commit, TEMPFAIL where one could not be committed."""
        try:
            found = await asyncio.to_thread(self._open)
        except Exception:  # noqa: BLE001  (a person's mail goes on whatever we make of it)
            balance.INTERNAL_ERRORS.labels(self._envelope.front).inc()
            _log.exception("internal_error", front=self._envelope.front, stage="review")
            return Disposition.PASS
        self._more = len(found) > ATTACHED
        for each in found[:ATTACHED]:
            if each.fault:
                self._unreadable += 1
                continue
            size = len(each.raw) + each.truncated
            flight = self._pipeline.open(self._inner(each.raw), each.raw, size)
            self._flights.append(self._stack.enter_context(flight))
        done = await asyncio.gather(*(flight.process() for flight in self._flights))
        _log.info("review_read", attached=len(self._flights) + self._unreadable, unreadable=self._unreadable)
        return Disposition.TEMPFAIL if (Disposition.TEMPFAIL,) in done else Disposition.PASS

    def settle(self, disposition: Disposition) -> None:
        """Say what was finally done with the message."""
        for flight in self._flights:
            flight.settle((disposition,))

    @property
    def label(self) -> str:
        """What was made of it, for people: `review; attached=3; 2 x bounce hard/user_unknown, mail`."""
        words = Counter(_verdict(flight.verdict) for flight in self._flights)
        if self._unreadable:
            words["unreadable"] += self._unreadable
        count = words.total()
        said = [f"{n} x {word}" if n > 1 else word for word, n in words.most_common(NAMED)]
        said += ["others"] if len(words) > NAMED else []
        number = f"attached={count}" + (" of more" if self._more else "")
        return "; ".join(("review", number, *([", ".join(said)] if said else [])))

    def _open(self) -> Sequence[Attached]:
        """One more than is read, at most. A report that came to review@ by itself forwards nothing."""
        message = Message(self._head, truncated=self._size > len(self._head))
        if message.content_type == b"multipart/report":
            return ()
        return tuple(islice(attached.mails(message), ATTACHED + 1))

    def _inner(self, raw: bytes) -> Envelope:
        """How an attached mail came: by what its headers say, and with nothing proven."""
        data, body_at = split_head(raw)
        headers, now = Headers(data[:body_at], set()), self._envelope.received_at
        named = delivered.recipient(headers, self._recognizer.ownership)
        return replace(
            self._envelope,
            sender=delivered.sender(headers),
            recipients=(self._recognizer.unproven(named or self._envelope.recipients[0]),),
            received_at=moment.clamped(moment.of_headers(headers), now),
            source=Source.UNKNOWN,
            read_at=now,
            dated_by_itself=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def _verdict(verdict: Verdict | None) -> str:
    """Kind, and the class and category of the first reason: words of our own vocabulary only."""
    if verdict is None:
        return "unreadable"
    ruling = next((each.ruling for each in verdict.concerned if each.ruling), None)
    return f"{verdict.kind} {ruling.class_}/{ruling.category}" if ruling else verdict.kind.value

"""From a whole message to a Disposition for each recipient: the pipeline, then the forwarder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import structlog

from bouncemilter.fronts.label import UNREAD
from bouncemilter.fronts.sink.forward import Forwarder, Mail, Passed
from bouncemilter.model import Disposition, Envelope
from bouncemilter.pipeline import Flight, Pipeline
from bouncemilter.returnpath import Ownership

ROLE_LABEL: Final = "role_address"
"""`X-Bouncemilter` of mail to postmaster@ and abuse@; to review@ it says what was made of it."""

_T = TypeVar("_T")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Recipient:
    """One accepted RCPT."""

    address: str
    """Without angle brackets, as written."""
    ownership: Ownership


class Delivery:
    """What is done with a message once it is whole. `process_seconds`: the longest wait for the pipeline."""

    def __init__(self, pipeline: Pipeline, forwarder: Forwarder, process_seconds: float) -> None:
        self._pipeline = pipeline
        self._forwarder = forwarder
        self._process_seconds = process_seconds

    async def deliver(
        self, envelope: Envelope, recipients: Sequence[Recipient], mail: Mail, *, together: bool
    ) -> list[Disposition]:
        """The final disposition of each recipient, in order.

        `envelope` comes without recipients; a recipient named twice is handled once. `together`: one reply for all
        follows (SMTP), so nothing is passed on once one of them failed.
        """
        unique = list(dict.fromkeys(recipients))
        roles = [each for each in unique if each.ownership is Ownership.PASSED]
        reviews = [each for each in unique if each.ownership is Ownership.REVIEW]
        ours = [each for each in unique if each.ownership not in (Ownership.PASSED, Ownership.REVIEW)]
        final = dict.fromkeys(unique, Disposition.TEMPFAIL)

        def stopped(*before: Recipient) -> bool:
            return together and any(final[each] is Disposition.TEMPFAIL for each in before)

        if ours:
            own = replace(envelope, recipients=tuple(each.address for each in ours))
            with self._pipeline.open(own, mail.head, mail.spool.size) as flight:
                final |= zip(ours, await self._timely(flight.process(), _deferred(ours)), strict=True)
                await self._pass_on(final, ours, mail, (_label(flight), "pipeline"), together=together)
                flight.settle([final[each] for each in ours])
        if reviews and not stopped(*ours):
            own = replace(envelope, recipients=tuple(each.address for each in reviews))
            with self._pipeline.review(own, mail.head, mail.spool.size) as review:
                final |= dict.fromkeys(reviews, await self._timely(review.process(), Disposition.TEMPFAIL))
                await self._pass_on(final, reviews, mail, (review.label, "role"), together=together)
                deferred = any(final[each] is Disposition.TEMPFAIL for each in reviews)
                review.settle(Disposition.TEMPFAIL if deferred else Disposition.PASS)
        if roles and not stopped(*ours, *reviews):
            final |= dict.fromkeys(roles, Disposition.PASS)
            await self._pass_on(final, roles, mail, (ROLE_LABEL, "role"), together=together)
        return [final[each] for each in recipients]

    async def _timely(self, work: Awaitable[_T], otherwise: _T) -> _T:
        try:
            async with asyncio.timeout(self._process_seconds):
                return await work
        except TimeoutError:
            _log.error("process_timeout", front="sink", seconds=self._process_seconds)
            return otherwise

    async def _pass_on(
        self,
        final: dict[Recipient, Disposition],
        recipients: Sequence[Recipient],
        mail: Mail,
        mark: tuple[str, str],
        *,
        together: bool,
    ) -> None:
        """Pass the message on to those of `recipients` whose disposition is PASS, and note what came of it.

        `mark`: the value of `X-Bouncemilter`, and why it is passed on, for the metric.
        """
        passing = [each for each in recipients if final[each] is Disposition.PASS]
        if not passing:
            return
        if together and any(final[each] is Disposition.TEMPFAIL for each in recipients):
            final |= dict.fromkeys(passing, Disposition.TEMPFAIL)
            return
        passed = [Passed(each.address, *mark) for each in passing]
        final |= zip(passing, await self._forwarder.pass_on(mail, passed, together=together), strict=True)


def _deferred(recipients: Sequence[Recipient]) -> tuple[Disposition, ...]:
    return (Disposition.TEMPFAIL,) * len(recipients)


def _label(flight: Flight) -> str:
    """The kind of the message, where it was read."""
    return flight.kind.value if flight.kind else UNREAD

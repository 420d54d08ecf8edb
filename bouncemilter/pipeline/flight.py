"""One message on its way, and its place in the balances."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

import structlog

from bouncemilter.model import Disposition, Effect, Envelope, Event, Kind, Verdict
from bouncemilter.pipeline import balance
from bouncemilter.pipeline.balance import Stage
from bouncemilter.store import StoreUnavailable

if TYPE_CHECKING:
    from bouncemilter.pipeline.path import Pipeline

_log = structlog.get_logger()


class RecipientResult(NamedTuple):
    """What the path made of a message for one envelope recipient."""

    disposition: Disposition
    kind: Kind | None
    """None for a duplicate."""
    events: tuple[Event, ...] = ()
    """What it says, known before or not; none for mail."""
    effects: tuple[Effect, ...] = ()
    """What policy made of those that are new."""


class Flight:
    """One message, for those of its envelope recipients that are ours.

    A context manager: it counts as in flight until it is left. Left unsettled (the connection broke, the front
    failed), every recipient counts as tempfailed: the MTA was told nothing, and comes back.
    """

    def __init__(self, pipeline: Pipeline, envelope: Envelope, head: bytes, size: int) -> None:
        self._pipeline = pipeline
        self._envelope = envelope
        self._head = head
        self._size = size
        self._count = len(envelope.recipients)
        self.verdict: Verdict | None = None
        """What the message means, once it has been read."""
        self._outcomes: Sequence[RecipientResult] = ()
        self._stage = Stage.ABORTED
        self._settled: Sequence[Disposition] = (Disposition.TEMPFAIL,) * self._count

    async def process(self) -> tuple[Disposition, ...]:
        """Read, judge and commit; one disposition for each recipient of the envelope, in order.

        Returns only after the commit. Never raises: whatever goes wrong inside leaves the message with the MTA.
        """
        stage = Stage.READ
        try:
            verdict, digest = await self._pipeline.read(self._head, self._size)
            self.verdict = verdict
            stage = Stage.COMMIT
            self._outcomes = await self._pipeline.commit(self._envelope, verdict, digest)
        except StoreUnavailable as error:
            self._stage = stage
            _log.warning("store_unavailable", front=self._envelope.front, error=str(error))
        except Exception:  # noqa: BLE001  (a fault of ours costs a retry, never a message)
            self._stage = stage
            balance.INTERNAL_ERRORS.labels(self._envelope.front).inc()
            _log.exception("internal_error", front=self._envelope.front, stage=stage)
            if self._pipeline.poison.failed(self._head):
                _log.error("passed_unread", front=self._envelope.front, recipients=self._envelope.recipients)
                return (Disposition.PASS,) * self._count
        else:
            return tuple(outcome.disposition for outcome in self._outcomes)
        return (self._pipeline.on_error(self._envelope.front),) * self._count

    @property
    def kind(self) -> Kind | None:
        """What the message is, once it has been read."""
        return self.verdict.kind if self.verdict else None

    @property
    def outcomes(self) -> Sequence[RecipientResult]:
        """What came of it for each recipient, in order; empty until it is committed, or where that failed."""
        return self._outcomes

    def settle(self, dispositions: Sequence[Disposition]) -> None:
        """Say what was finally done for each recipient, in order (a PASS may have failed)."""
        self._settled = tuple(dispositions)

    def __enter__(self) -> Self:
        front = self._envelope.front
        balance.RECEIVED.labels(front).inc(self._count)
        balance.IN_FLIGHT.labels(front).inc(self._count)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        front = self._envelope.front
        if not self._outcomes:
            balance.FAILED.labels(front, self._stage).inc(self._count)
        for outcome in self._outcomes:
            if outcome.kind is None:
                balance.DUPLICATES.labels(front).inc()
            else:
                balance.CLASSIFIED.labels(front, outcome.kind).inc()
        for disposition in self._settled:
            balance.DISPOSED.labels(front, disposition).inc()
        balance.IN_FLIGHT.labels(front).dec(self._count)

"""A pipeline that does what the test says, and remembers what it got."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import pytest

from bouncemilter.model import Disposition, Envelope, Kind
from bouncemilter.returnpath import Ownership, Recognizer, ReturnPath


class FakeFlight:
    """One message; `settled` stays None where the front never said what was done."""

    def __init__(self, pipeline: "FakePipeline", envelope: Envelope, head: bytes, size: int) -> None:
        self.pipeline = pipeline
        self.envelope = envelope
        self.head = head
        self.size = size
        self.kind = pipeline.kind
        self.settled: tuple[Disposition, ...] | None = None
        self.entered = self.left = False

    async def process(self) -> tuple[Disposition, ...]:
        self.pipeline.started.set()
        await self.pipeline.gate.wait()
        if self.pipeline.error:
            raise self.pipeline.error
        return tuple(
            self.pipeline.dispositions.get(each, self.pipeline.disposition) for each in self.envelope.recipients
        )

    def settle(self, dispositions: Sequence[Disposition]) -> None:
        self.settled = tuple(dispositions)

    def __enter__(self) -> Self:
        self.entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.left = True


class FakeReview:
    """A message to review@; the test sets what comes of it."""

    def __init__(self, pipeline: "FakePipeline", envelope: Envelope, head: bytes, size: int) -> None:
        self.pipeline = pipeline
        self.envelope = envelope
        self.head = head
        self.size = size
        self.label = "review; attached=0"
        self.settled: Disposition | None = None

    async def process(self) -> Disposition:
        await self.pipeline.gate.wait()
        return self.pipeline.reviewed

    def settle(self, disposition: Disposition) -> None:
        self.settled = disposition

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class FakePipeline:
    """`bounces+…@bounces.example.com` is a return path, `jan@example.pl` watched."""

    def __init__(self) -> None:
        self.disposition = Disposition.DISCARD
        self.dispositions: dict[str, Disposition] = {}
        """Those that differ, by recipient."""
        self.kind: Kind | None = None
        self.error: Exception | None = None
        """Raised by `process`."""
        self.ownership_error: Exception | None = None
        self.gate = asyncio.Event()
        """`process` waits for it; open unless the test clears it."""
        self.gate.set()
        self.started = asyncio.Event()
        self.flights: list[FakeFlight] = []
        self.reviewed = Disposition.PASS
        """What `process` of a review gives."""
        self.reviews: list[FakeReview] = []
        self._recognizer = Recognizer([ReturnPath("bounces.example.com", "bounces")], ["jan@example.pl"])

    def ownership(self, recipient: str) -> Ownership | None:
        if self.ownership_error:
            raise self.ownership_error
        return self._recognizer.ownership(recipient)

    def open(self, envelope: Envelope, head: bytes, size: int) -> FakeFlight:
        self.flights.append(FakeFlight(self, envelope, head, size))
        return self.flights[-1]

    def review(self, envelope: Envelope, head: bytes, size: int) -> FakeReview:
        self.reviews.append(FakeReview(self, envelope, head, size))
        return self.reviews[-1]


@pytest.fixture
def pipeline() -> FakePipeline:
    return FakePipeline()

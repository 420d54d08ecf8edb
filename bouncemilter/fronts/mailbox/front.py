"""The daemon's mailboxes: each is read every few minutes, and less often while it can't be."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from bouncemilter.fronts.mailbox.fault import MailboxError
from bouncemilter.fronts.mailbox.options import MailboxOptions
from bouncemilter.fronts.mailbox.poll import Poll
from bouncemilter.fronts.mailbox.summary import MessageOutcome, Summary
from bouncemilter.pipeline import Pipeline


class PollResult(StrEnum):
    """How a pass ended."""

    SUCCESS = "success"
    FAILURE = "failure"


MESSAGES: Final = Counter(
    "bouncemilter_mailbox_messages_total", "Messages read in mailboxes, by what became of them", ["outcome"]
)
POLLS: Final = Counter("bouncemilter_mailbox_polls_total", "Passes through mailboxes", ["outcome"])
OVERDUE: Final = Gauge(
    "bouncemilter_mailbox_overdue_seconds",
    "How long the mailbox that has waited longest was not read to its end, beyond its interval",
)
LAST_SUCCESS: Final = Gauge(
    "bouncemilter_mailbox_last_success_timestamp_seconds",
    "When the mailbox that has waited longest was last read to its end; 0: not yet, or there is none",
)

LONGEST_PAUSE: Final = 4 * 3600.0
"""Seconds between two tries of a mailbox that keeps failing: many providers lock out who tries a wrong password."""

_log = structlog.get_logger()


def declare() -> None:
    """Make every label value appear from the start."""
    for outcome in MessageOutcome:
        MESSAGES.labels(outcome)
    for result in PollResult:
        POLLS.labels(result)


def pause(interval: float, failures: int) -> float:
    """Seconds until a mailbox is read again that could not be read so many times in a row."""
    doubled = interval * 2.0 ** min(max(failures - 1, 0), 20)
    return max(interval, min(LONGEST_PAUSE, doubled))


class MailboxFront:
    """Reads mailboxes side by side, each in a thread of its own."""

    def __init__(
        self,
        mailboxes: Sequence[MailboxOptions],
        pipeline: Pipeline,
        state: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mailboxes = tuple(mailboxes)
        self._pipeline = pipeline
        self._state = state
        self._clock = clock
        self._pollers: dict[MailboxOptions, _Poller] = {}
        self._ending: list[_Poller] = []

    def start(self) -> None:
        """Read each of them now, and from then on by its interval."""
        declare()
        OVERDUE.set_function(self.overdue)
        LAST_SUCCESS.set_function(lambda: min((each.succeeded for each in self._pollers.values()), default=0.0))
        self.configure(self._mailboxes)

    def configure(self, mailboxes: Sequence[MailboxOptions]) -> None:
        """Read these from now on: new and changed ones at once, the others as before; one that is gone no more."""
        self._ending = [each for each in self._ending if not each.task.done()]
        for options in self._pollers.keys() - set(mailboxes):
            poller = self._pollers.pop(options)
            poller.end()
            self._ending.append(poller)
        for options in mailboxes:
            if options not in self._pollers:
                before = next((each for each in reversed(self._ending) if each.identity == options.identity), None)
                self._pollers[options] = _Poller(options, self._pipeline, self._state, self._clock, before)

    async def stop(self, grace: float) -> None:
        """End each after the batch that is under way; after `grace` seconds at once."""
        pollers = [*self._pollers.values(), *self._ending]
        for each in pollers:
            each.end()
        await asyncio.gather(*(each.ended(grace) for each in pollers))

    def overdue(self) -> float:
        """Seconds beyond its interval that some mailbox was not read to its end."""
        return max(0.0, max((each.overdue for each in self._pollers.values()), default=0.0))


class _Poller:
    """Reads one mailbox, from the moment that it is made until it is told to end."""

    def __init__(
        self,
        options: MailboxOptions,
        pipeline: Pipeline,
        state: Path,
        clock: Callable[[], float],
        before: _Poller | None,
    ) -> None:
        """`before`: who read this mailbox by other settings, and may not have ended yet."""
        self.identity = options.identity
        self.succeeded: float = before.succeeded if before else 0.0
        """When it was last read to its end, as a Unix time; 0: not yet."""
        self.read_at: float = before.read_at if before else clock()
        """The same by the front's own clock; when it began, where it was not."""
        self._options = options
        self._pipeline = pipeline
        self._state = state
        self._clock = clock
        self._poll: Poll | None = None
        self._stopped = asyncio.Event()
        self.task: asyncio.Task[None] = asyncio.create_task(self._run(before.task if before else None))

    @property
    def overdue(self) -> float:
        """Seconds beyond its interval that it was not read to its end; below zero: it is not due yet."""
        return self._clock() - self.read_at - self._options.interval

    def end(self) -> None:
        """End after the batch that is under way."""
        self._stopped.set()
        if self._poll:
            self._poll.stop()

    async def ended(self, grace: float) -> None:
        """Wait until it has; after `grace` seconds it is cut off."""
        await asyncio.wait([self.task], timeout=grace)
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _run(self, before: asyncio.Task[None] | None) -> None:
        if before:
            await asyncio.wait([before])
        failures = 0
        while not self._stopped.is_set():
            found = await self._pass()
            if found.error and self._stopped.is_set():  # its connection was cut
                return
            # What one message or the target folder refuses is no reason to read the others later.
            failures = failures + 1 if found.error and not found.complete else 0
            seconds = pause(self._options.interval, failures)
            if found.error:
                _log.warning("mailbox_failed", mailbox=self._options.name, error=found.error, retry_in=round(seconds))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stopped.wait()

    async def _pass(self) -> Summary:
        """Go through the mailbox once; its `error` says why that failed."""
        self._poll = poll = Poll(self._options, self._pipeline, self._state)
        summary = poll.summary
        try:
            await poll.run()
        except MailboxError as failure:
            summary.error = str(failure)
        except Exception as failure:  # noqa: BLE001  (whatever it is, the next pass is due)
            _log.exception("mailbox_error", mailbox=self._options.name)
            summary.error = repr(failure)
        finally:
            self._poll = None
        for outcome, n in summary.outcomes.items():
            MESSAGES.labels(outcome).inc(n)
        POLLS.labels(PollResult.FAILURE if summary.error else PollResult.SUCCESS).inc()
        if summary.complete and not summary.error:
            self.read_at = self._clock()
            self.succeeded = time.time()
        if not summary.error:
            _log.info(
                "mailbox_read",
                mailbox=self._options.name,
                read=summary.read,
                recognised=summary.outcomes[MessageOutcome.RECOGNISED],
                left=summary.outcomes[MessageOutcome.LEFT],
                suppressed=summary.suppressed,
            )
        return summary

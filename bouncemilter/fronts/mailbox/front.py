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
from bouncemilter.fronts.mailbox.summary import Fate
from bouncemilter.fronts.mailbox.visit import Visit
from bouncemilter.pipeline import Pipeline


class Outcome(StrEnum):
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
    for fate in Fate:
        MESSAGES.labels(fate)
    for outcome in Outcome:
        POLLS.labels(outcome)


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
        self._tasks: list[asyncio.Task[None]] = []
        self._visits: set[Visit] = set()
        self._stopped = asyncio.Event()
        self._read_at = dict.fromkeys(range(len(self._mailboxes)), clock())
        self._succeeded = dict.fromkeys(self._read_at, 0.0)

    def start(self) -> None:
        """Read each of them now, and from then on by its interval."""
        declare()
        OVERDUE.set_function(self.overdue)
        LAST_SUCCESS.set_function(lambda: min(self._succeeded.values(), default=0.0))
        for place, options in enumerate(self._mailboxes):
            self._tasks.append(asyncio.create_task(self._poll(place, options)))

    async def stop(self, grace: float) -> None:
        """End each after the batch that is under way; after `grace` seconds at once."""
        self._stopped.set()
        for visit in self._visits:
            visit.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def overdue(self) -> float:
        """Seconds beyond its interval that some mailbox was not read to its end."""
        waited = (
            self._clock() - self._read_at[place] - options.interval for place, options in enumerate(self._mailboxes)
        )
        return max(0.0, max(waited, default=0.0))

    async def _poll(self, place: int, options: MailboxOptions) -> None:
        failures = 0
        while not self._stopped.is_set():
            error = await self._pass(place, options)
            failures = failures + 1 if error else 0
            seconds = pause(options.interval, failures)
            if error:
                _log.warning("mailbox_failed", mailbox=options.name, error=error, retry_in=round(seconds))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stopped.wait()

    async def _pass(self, place: int, options: MailboxOptions) -> str:
        """Go through a mailbox once; why that failed, or nothing."""
        visit = Visit(options, self._pipeline, self._state)
        self._visits.add(visit)
        error = ""
        try:
            await visit.run()
        except MailboxError as failure:
            error = str(failure)
        except Exception as failure:  # noqa: BLE001  (whatever it is, the next pass is due)
            _log.exception("mailbox_error", mailbox=options.name)
            error = repr(failure)
        finally:
            self._visits.discard(visit)
        summary = visit.summary
        for fate, n in summary.fates.items():
            MESSAGES.labels(fate).inc(n)
        POLLS.labels(Outcome.FAILURE if error else Outcome.SUCCESS).inc()
        if summary.complete and not error:
            self._read_at[place] = self._clock()
            self._succeeded[place] = time.time()
        if not error:
            _log.info(
                "mailbox_read",
                mailbox=options.name,
                read=summary.read,
                recognised=summary.fates[Fate.RECOGNISED],
                left=summary.fates[Fate.LEFT],
                suppressed=summary.suppressed,
            )
        return error

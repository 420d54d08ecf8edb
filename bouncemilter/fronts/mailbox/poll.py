"""One pass through a mailbox: list, read, process, then move or delete, then remember."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import structlog

from bouncemilter.fronts.mailbox import envelope, memory
from bouncemilter.fronts.mailbox.fault import Fault, MailboxError
from bouncemilter.fronts.mailbox.files import FolderSource, MboxSource
from bouncemilter.fronts.mailbox.imap import ImapSource
from bouncemilter.fronts.mailbox.memory import Memory
from bouncemilter.fronts.mailbox.options import After, MailboxOptions, SourceKind
from bouncemilter.fronts.mailbox.pop3 import Pop3Source
from bouncemilter.fronts.mailbox.source import MessageRef, Source, StoredMessage
from bouncemilter.fronts.mailbox.summary import CONSUMED, MessageOutcome, Summary
from bouncemilter.model import Disposition, Effect, Trust
from bouncemilter.pipeline import Flight, Pipeline

BATCH: Final = 32
"""Messages that are read at once and committed together: 16 MB at most."""
PROCESS_SECONDS: Final = 60.0
"""The longest wait for one message's commit."""
STEP_SECONDS: Final = 3600.0
"""The longest wait for a list, or a batch, of a server that sends octet after octet in time and comes to no end."""

_T = TypeVar("_T")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PollOptions:
    """What a pass is to do beside what the mailbox's options say."""

    since: dt.datetime | None = None
    """Older messages are left alone; UTC."""
    limit: int | None = None
    """Read so many at most."""
    dry_run: bool = False
    """Nothing is stored, remembered, moved or deleted."""
    again: bool = False
    """Read what was settled before, too."""


def source(options: MailboxOptions) -> Source:
    """The mailbox that the options name."""
    if options.kind is SourceKind.IMAP:
        return ImapSource(options)
    if options.kind is SourceKind.POP3:
        return Pop3Source(options)
    return MboxSource(options) if options.kind is SourceKind.MBOX else FolderSource(options)


class Poll:
    """A pass. `progress` hears of each batch: how many messages are settled, of how many."""

    def __init__(
        self,
        options: MailboxOptions,
        pipeline: Pipeline,
        state: Path,
        poll_options: PollOptions = PollOptions(),
        progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> None:
        self.summary = Summary(options.name)
        self._options = options
        self._pipeline = pipeline
        self._poll_options = poll_options
        self._progress = progress
        self._source = source(options)
        self._memory = Memory(state, options.identity)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mailbox")
        self._stopping = False
        self._listing = True
        self._refused: MailboxError | None = None

    def stop(self) -> None:
        """End after the batch that is under way; before the first one, at once."""
        self._stopping = True
        if self._listing:
            self._source.abort()

    async def run(self) -> Summary:
        """Go through it once. Raises MailboxError; what was settled until then stays so, and stands in `summary`."""
        try:
            await self._call(self._memory.open)
            try:
                async with self._opened():
                    await self._go()
            finally:
                await self._call(self._memory.close)
        except MailboxError as error:
            self.summary.error = str(error)
            raise
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)
        return self.summary

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        try:
            await self._recall(await self._ask(self._source.open))
            yield
            await self._ask(self._source.close)
        except BaseException:
            self._source.abort()
            with contextlib.suppress(MailboxError):
                await self._call(self._source.close)
            raise

    async def _call(self, work: Callable[..., _T], *values: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *values)

    async def _ask(self, work: Callable[..., _T], *values: object) -> _T:
        """Have the mailbox do something; MailboxError where a server is not done with it after STEP_SECONDS."""
        if not self._options.kind.is_remote:
            return await self._call(work, *values)
        try:
            async with asyncio.timeout(STEP_SECONDS):
                return await self._call(work, *values)
        except TimeoutError:
            text = f"{self._options.place}: broken off: no end of an answer in {STEP_SECONDS:.0f} seconds"
            raise MailboxError(Fault.BROKEN_OFF, text) from None

    async def _recall(self, generation: str) -> None:
        """Forget what was remembered where the server has named all messages anew, or others are ours now."""
        if self._poll_options.dry_run:
            return
        known = await self._call(self._memory.note, "generation")
        if known != generation:
            if known:
                _log.info("mailbox_renumbered", mailbox=self._options.name)
            await self._call(self._memory.forget)
            await self._call(self._memory.set_note, "generation", generation)
        judged_by = "\n".join((self._options.address, *self._pipeline.takes))
        if await self._call(self._memory.note, "judged_by") != judged_by:
            await self._call(self._memory.forget)
            await self._call(self._memory.set_note, "judged_by", judged_by)

    async def _beyond(self, note: str) -> str:
        """The key up to which nothing need be listed again; once a day everything is, to forget what has gone."""
        if (
            self._poll_options.again
            or self._poll_options.dry_run
            or await self._call(self._memory.note, "listed") != _today()
        ):
            return ""
        return await self._call(self._memory.note, note)

    async def _go(self) -> None:
        note = f"beyond:{self._options.after}"
        everything = self._poll_options.again or self._poll_options.dry_run
        beyond = await self._beyond(note)
        items = await self._ask(lambda: list(self._source.items(beyond)))
        self._listing = False
        self.summary.listed = len(items)
        wanted = [each for each in items if everything or self._is_open(each)]
        self.summary.seen_before = len(items) - len(wanted)
        wanted = [each for each in wanted if not self._is_old(each.at)]
        self.summary.outcomes[MessageOutcome.TOO_OLD] += len(items) - self.summary.seen_before - len(wanted)
        if self._poll_options.limit is not None:
            wanted = wanted[: self._poll_options.limit]
        for first in range(0, len(wanted), BATCH):
            if self._stopping:
                return
            self._progress(first, len(wanted))
            await self._settle(wanted[first : first + BATCH])
        self._progress(len(wanted), len(wanted))
        self.summary.complete = True
        if self._refused:
            raise self._refused
        if not self._poll_options.dry_run:
            await self._tidy(items, beyond, note)

    def _is_open(self, item: MessageRef) -> bool:
        """Whether a message is still to be settled. What was recognised is read once more before it goes."""
        outcome = self._memory.outcome(item.key)
        return outcome is None or (outcome == memory.RECOGNISED and self._options.after is not After.LEAVE)

    def _is_old(self, at: dt.datetime | None) -> bool:
        return bool(self._poll_options.since and at and at < self._poll_options.since)

    async def _tidy(self, items: Sequence[MessageRef], beyond: str, note: str) -> None:
        """Forget what has gone; and where all of it is settled, that nothing before its end need be listed again."""
        if not beyond:
            await self._call(self._memory.keep_only, [each.key for each in items])
            await self._call(self._memory.set_note, "listed", _today())
        partly = (
            self._poll_options.since
            or self._poll_options.limit is not None
            or self.summary.outcomes[MessageOutcome.FAILED]
        )
        if self._options.kind is SourceKind.IMAP and items and not partly:
            await self._call(self._memory.set_note, note, items[-1].key)

    async def _settle(self, items: Sequence[MessageRef]) -> None:
        messages = await self._ask(self._source.read, items)
        outcomes = await asyncio.gather(*(self._outcome_of(message) for message in messages))
        self.summary.outcomes.update(outcomes)
        if self._poll_options.dry_run:
            return
        settled = _settled(items, outcomes)
        consumed = [item for item, outcome in zip(items, outcomes, strict=True) if outcome in CONSUMED]
        if consumed and self._options.after is not After.LEAVE:
            settled |= await self._consume(consumed)
        await self._call(self._memory.learn, settled)
        if MessageOutcome.FAILED in outcomes and (failure := self._pipeline.store_failure()):
            raise MailboxError(Fault.STORE, f"the store can't be used just now: {failure}")

    async def _consume(self, items: Sequence[MessageRef]) -> dict[str, int]:
        """Move or delete; what is to be remembered of those that are gone.

        A refusal (the target is full, a file may not be deleted) does not keep the rest from being read: the pass ends
        with it, and what was not moved is tried again by the next one.
        """
        is_remote, found = self._options.kind.is_remote, dict[str, int]()
        for each in [items] if is_remote else [[item] for item in items]:
            try:
                done = await self._ask(self._source.consume, each)
            except MailboxError as error:
                if error.fault is Fault.BROKEN_OFF:
                    raise
                self._refused = self._refused or error
                continue
            if self._options.after is After.MOVE:
                self.summary.moved += done
            else:
                self.summary.deleted += done
            if self._options.kind is SourceKind.IMAP:  # POP3 deletes at the end, if at all
                found |= dict.fromkeys((item.key for item in each), memory.GONE)
        return found

    async def _outcome_of(self, message: StoredMessage | MailboxError | None) -> MessageOutcome:
        if message is None:
            return MessageOutcome.VANISHED
        if isinstance(message, MailboxError):
            self._refused = self._refused or message
            return MessageOutcome.FAILED
        return await self._process(message)

    async def _process(self, message: StoredMessage) -> MessageOutcome:
        """Take one message through the pipeline, as every front does."""
        now = dt.datetime.now(dt.UTC)
        found = envelope.envelope(message, self._pipeline.ownership, self._options.address, now)
        if found is None:
            return MessageOutcome.NOT_OURS
        if self._is_old(found.envelope.received_at):
            return MessageOutcome.TOO_OLD
        if self._poll_options.dry_run:
            return await self._judge(message, found)
        with self._pipeline.open(found.envelope, message.head, message.size) as flight:
            (disposition,) = await self._processed(flight)
            flight.settle((disposition,))
        return self._outcome(flight, disposition, named=found.named)

    async def _judge(self, message: StoredMessage, found: envelope.Found) -> MessageOutcome:
        """What would become of it: the verdict alone, since what the store knows decides the rest."""
        verdict, _ = await self._pipeline.read(message.head, message.size)
        self.summary.kinds[verdict.kind] += 1
        self.summary.categories.update(each.ruling.category for each in verdict.recipients if each.ruling)
        passing = self._pipeline.disposition(found.envelope, verdict) is Disposition.PASS
        return MessageOutcome.LEFT if passing else MessageOutcome.RECOGNISED

    async def _processed(self, flight: Flight) -> Sequence[Disposition]:
        try:
            async with asyncio.timeout(PROCESS_SECONDS):
                return await flight.process()
        except TimeoutError:
            _log.error("process_timeout", front="mailbox", seconds=PROCESS_SECONDS)
            return (Disposition.TEMPFAIL,)

    def _outcome(self, flight: Flight, disposition: Disposition, *, named: bool) -> MessageOutcome:
        if disposition is Disposition.TEMPFAIL:
            return MessageOutcome.FAILED
        if not flight.outcomes:  # the path keeps failing on it, and passes it unread
            return MessageOutcome.LEFT
        (outcome,) = flight.outcomes
        if flight.kind:
            self.summary.kinds[flight.kind] += 1
        if outcome.kind is not None:
            self.summary.categories.update(each.category for each in outcome.events if each.category)
            self.summary.suppressed += outcome.effects.count(Effect.SUPPRESSED)
        if disposition is Disposition.PASS:
            return MessageOutcome.LEFT
        if not named and all(each.trust is Trust.NONE for each in outcome.events):
            return MessageOutcome.UNTIED
        return MessageOutcome.RECOGNISED if outcome.kind is not None else MessageOutcome.KNOWN


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


def _settled(items: Sequence[MessageRef], outcomes: Sequence[MessageOutcome]) -> dict[str, int]:
    """What is to be remembered of messages that are settled."""
    return {
        item.key: memory.RECOGNISED if outcome in CONSUMED else memory.LEFT
        for item, outcome in zip(items, outcomes, strict=True)
        if outcome not in (MessageOutcome.FAILED, MessageOutcome.VANISHED, MessageOutcome.TOO_OLD)
    }

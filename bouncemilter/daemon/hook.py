"""The hook: a command of the operator's that is told of every change of the suppressions, at least once.

It reads JSON lines (exchange.change) on standard input. The cursor in the store moves on when it ends with 0; else the
same changes come again, later and later. No mail waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from enum import StrEnum
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from bouncemilter import text
from bouncemilter.exchange.change import change_object
from bouncemilter.store import Store, StoreError, Told

CURSOR: Final = "hook"
"""The name of its cursor in the store."""
BATCH: Final = 500
"""Changes for one run, some 250 kB."""
RUN_SECONDS: Final = 60.0
"""Time of one run; then it is killed, with all that it has started."""
POLL_SECONDS: Final = 1.0
"""Between two looks at the change log."""
LAST_WORDS_SECONDS: Final = 1.0
"""For its standard error to be read, when it has ended."""
RETRY_SECONDS: Final = (5.0, 600.0)
"""Pause after the first failure, doubled with each further one, and the longest."""
_STDERR: Final = 4096
"""Octets of its standard error that are read for the log."""
_PASSED: Final = ("PATH", "HOME", "LANG", "TZ")
"""What it inherits of the environment: nothing of the service manager's."""


class RunResult(StrEnum):
    """How a run ended."""

    OK = "ok"
    FAILED = "failed"
    """With another code than 0, or by a signal."""
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    """It could not be started."""


RUNS: Final = Counter("bouncemilter_hook_runs_total", "Runs of hooks.on_change", ["outcome"])
LAG: Final = Gauge("bouncemilter_hook_lag", "Changes of the suppressions that hooks.on_change was not told of yet")

_log = structlog.get_logger()


def declare() -> None:
    """Give each outcome its zero."""
    for outcome in RunResult:
        RUNS.labels(outcome)


class Hook:
    """Tells a command of the changes. `command`: gives its argv, without a shell; empty while there is none."""

    def __init__(self, store: Store, command: Callable[[], Sequence[str]]) -> None:
        self._store = store
        self._command = command
        self._failures = 0

    async def run(self) -> None:
        """Go on until cancelled; a run in the midst is killed then, and its changes come again."""
        while True:
            pause = POLL_SECONDS
            try:
                if command := self._command():
                    pause = await self._deliver(command)
                else:
                    LAG.set(0)
            except StoreError:
                pass  # the watchdog's round trip complains of it
            except Exception as error:  # noqa: BLE001  (whatever it is: the mail goes on)
                _log.error("hook_failed", outcome="internal_error", error=repr(error))
                pause = RETRY_SECONDS[1]
            await asyncio.sleep(pause)

    async def _deliver(self, command: Sequence[str]) -> float:
        """Tell the next changes; seconds to wait before the next look."""
        cursors = self._store.cursors
        await cursors.tell_expired()
        place, last = await cursors.place(CURSOR), await self._store.last_change()
        LAG.set(max(0, last - place))
        if place > last:  # an older store was put in this one's place, without its cursors
            await cursors.move(CURSOR, last)
            place = last
        found = await cursors.changes(place, BATCH)
        if not found:
            if last > place:  # nothing but changes of addresses that are forgotten
                await cursors.move(CURSOR, last)
            return POLL_SECONDS
        outcome, words = await _run(command, found)
        RUNS.labels(outcome).inc()
        if outcome is not RunResult.OK:
            return self._failed(outcome, words)
        if self._failures:
            _log.info("hook_recovered", failures=self._failures)
        self._failures = 0
        seq = found[-1].change.seq
        await cursors.move(CURSOR, seq)
        LAG.set(max(0, last - seq))
        return 0.0

    def _failed(self, outcome: RunResult, words: str) -> float:
        first, longest = RETRY_SECONDS
        pause = min(first * (1 << min(self._failures, 20)), longest)
        self._failures += 1
        _log.warning("hook_failed", outcome=outcome, error=words, failures=self._failures, again_in=pause)
        return pause


async def _run(command: Sequence[str], found: Sequence[Told]) -> tuple[RunResult, str]:
    """One run; how it ended, and its first words on standard error."""
    lines = "".join(json.dumps(change_object(each), ensure_ascii=True) + "\n" for each in found)
    async with _listening() as (listener, words):
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=listener,
                env={name: os.environ[name] for name in _PASSED if name in os.environ},
                cwd="/",
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return RunResult.UNAVAILABLE, str(error)
        finally:
            os.close(listener)
        try:
            async with asyncio.timeout(RUN_SECONDS):
                await _feed(process, lines.encode("ascii"))
                code = await process.wait()
        except TimeoutError:
            return RunResult.TIMEOUT, f"not done after {RUN_SECONDS:.0f} s"
        finally:
            # Also where it has ended: what it left behind must not run beside the next one.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            assert process.stdin is not None
            if not process.stdin.is_closing():
                process.stdin.transport.abort()
            await process.wait()
        said = await _said(words)
    if code == 0:
        return RunResult.OK, ""
    return RunResult.FAILED, f"code {code}: {said}" if said else f"code {code}"


async def _feed(process: asyncio.subprocess.Process, lines: bytes) -> None:
    """Write all; one that does not want to read it all decides by its code."""
    assert process.stdin is not None
    process.stdin.transport.set_write_buffer_limits(0)  # drain: all is gone, nothing keeps it from being closed
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(lines)
        await process.stdin.drain()
    process.stdin.close()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        await process.stdin.wait_closed()


class _Words(asyncio.Protocol):
    """The beginning of what comes out of a pipe; the rest is read and forgotten."""

    def __init__(self) -> None:
        self.kept = b""
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Keep as much as fits."""
        self.kept += data[: _STDERR - len(self.kept)]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (asyncio's signature)
        """Everybody who could write has ended."""
        self.ended.set()


@contextlib.asynccontextmanager
async def _listening() -> AsyncIterator[tuple[int, _Words]]:
    """A pipe's end to write into, for the caller to close, and what comes out of it; not longer than the context.

    Not the subprocess's own pipe: a daemon that the program has started would keep that open for ever.
    """
    reading, writing = os.pipe()
    transport, words = await asyncio.get_running_loop().connect_read_pipe(_Words, os.fdopen(reading, "rb", 0))
    try:
        yield writing, words
    finally:
        transport.close()


async def _said(words: _Words) -> str:
    """What a program that has ended said last may be on its way still."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LAST_WORDS_SECONDS):
            await words.ended.wait()
    return text.clean(text.decode(words.kept), 200)

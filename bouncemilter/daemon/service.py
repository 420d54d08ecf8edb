"""Starting, watching, reloading and stopping."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import Gauge, disable_created_metrics

import bouncemilter
from bouncemilter import notify
from bouncemilter.assembly import fronts, outgoing, pipeline
from bouncemilter.classify import RulesError
from bouncemilter.daemon import alerting, hook, log
from bouncemilter.daemon.clock import ClockGuard
from bouncemilter.daemon.hook import Hook
from bouncemilter.daemon.reload import needs_restart
from bouncemilter.fronts.access import AccessFront
from bouncemilter.fronts.mailbox.front import MailboxFront
from bouncemilter.fronts.milter import MilterFront, SocketError
from bouncemilter.fronts.sink import Sink
from bouncemilter.model import Cause
from bouncemilter.pipeline import OutgoingPipeline, Pipeline, balance
from bouncemilter.pipeline import path as pipeline_path
from bouncemilter.pipeline.confirmation import Confirmer
from bouncemilter.pipeline.outgoing import declare as declare_outgoing
from bouncemilter.pipeline.sentlog import SentLog
from bouncemilter.settings import Settings, SettingsError, load
from bouncemilter.store import Follower, Store, StoreUnavailable, SuppressionIndex, Suppressions
from bouncemilter.web.app import application
from bouncemilter.web.server import WebServer

STORE_UP: Final = Gauge("bouncemilter_store_up", "Whether the last write to the store succeeded")
SUPPRESSED: Final = Gauge("bouncemilter_suppressions_active", "Suppressions in force", ["cause"])
PENDING: Final = Gauge("bouncemilter_suppressions_pending", "Suppressions that an incident holds back")
INCIDENTS_OPEN: Final = Gauge("bouncemilter_incidents_open", "Incidents that failures still belong to")
RELOAD_SUCCESS: Final = Gauge("bouncemilter_reload_success", "Whether the last reload of the configuration succeeded")
RELOAD_TIME: Final = Gauge("bouncemilter_reload_timestamp_seconds", "When the configuration was last taken over")
INFO: Final = Gauge("bouncemilter_info", "Always 1", ["version"])

GRACE_SECONDS: Final = 20.0
"""For the messages in flight when we are told to stop; the unit's TimeoutStopSec is 30 s."""
PING_SECONDS: Final = 5.0
"""Between two round trips through loop, writer and store."""
STUCK_SECONDS: Final = 20.0
"""A round trip that takes longer means that we are stuck: the watchdog is then left unfed."""
PURGE_SECONDS: Final = 3600.0
"""Between two rounds of forgetting what is older than its retention."""
_COMPLAINT_SECONDS: Final = 60.0
"""The store's failure is logged once in this time."""

_log = structlog.get_logger()


class StartError(Exception):
    """The daemon can't start; the text says why, in one line. Worth another try later."""


class Daemon:
    """The whole process. `run` starts it and returns when it has stopped."""

    def __init__(self, settings: Settings, path: Path) -> None:
        self._settings = settings
        self._path = path
        self._stop = asyncio.Event()
        self._started = False
        self._reload_wanted = False
        self._draining = False
        self._failed = False
        self._broken = ""
        self._last_complaint = -_COMPLAINT_SECONDS

    def obstacles(self) -> list[str]:
        """Why no mail can be taken now."""
        found = []
        if not self._started:
            found.append("starting")
        if self._draining:
            found.append("stopping")
        if self._broken:
            found.append(self._broken)
        return found

    async def run(self) -> bool:
        """Serve until SIGTERM or SIGINT; False where it had to stop by itself.

        Raises StoreRefused (the store's file is not ours, or newer), RulesError and StartError.
        """
        self._watch_signals()
        async with AsyncExitStack() as closing:
            await self._start(closing)
            # Rules and libraries stay: the garbage collector need not go through them again in the midst of a message.
            gc.collect()
            gc.freeze()
            self._started = True
            _log.info("started", version=bouncemilter.__version__, configuration=str(self._path))
            notify.ready()
            if self._reload_wanted:
                self.reload()
            confirmer = Confirmer(self._store, lambda: self._pipeline.rules, self._resolver)
            alerter = alerting.Alerter(self._store, lambda: self._settings, self.obstacles)
            works = (self._feed_watchdog(), self._purge(), confirmer.run(), alerter.run())
            for each in works:
                closing.push_async_callback(_cancelled, asyncio.create_task(each))
            await self._stop.wait()
            notify.stopping()
            self._draining = True
        _log.info("stopped")
        return not self._failed

    async def _start(self, closing: AsyncExitStack) -> None:
        """Start everything; `closing` takes it down in the opposite order, the store last."""
        settings = self._settings
        _declare()
        classifier = pipeline.classifier(settings)
        self._store = await Store.open(
            settings.store_url,
            busy_timeout=settings.store.busy_timeout_s,
        )
        closing.push_async_callback(self._store.close)
        STORE_UP.set(1)
        self._pipeline = Pipeline(self._store, classifier, pipeline.pipeline_options(settings))
        self._follow_suppressions(closing)
        telling = asyncio.create_task(Hook(self._store, lambda: self._settings.hooks.on_change).run())
        closing.push_async_callback(_cancelled, telling)
        try:
            await self._start_fronts(closing)
        except OSError as error:
            raise StartError(_reason(error)) from error
        except SocketError as error:
            raise StartError(str(error)) from error

    def _follow_suppressions(self, closing: AsyncExitStack) -> None:
        """Read the suppressions, and keep up with whoever changes them; outgoing mail is held against them."""
        index = SuppressionIndex()
        # Not waited for: until ten million suppressions are read, the store is asked.
        following = asyncio.create_task(Follower(self._store, index).run())
        closing.push_async_callback(_cancelled, following)
        sent = SentLog(self._store)
        writing = asyncio.create_task(sent.run())
        closing.push_async_callback(sent.flush)
        closing.push_async_callback(_cancelled, writing)
        self._outgoing = OutgoingPipeline(
            self._store, Suppressions(self._store, index), sent, outgoing.outgoing_options(self._settings)
        )

    async def _start_fronts(self, closing: AsyncExitStack) -> None:
        settings = self._settings
        if settings.web.enabled:
            web = WebServer(application(self, self._refresh), settings.web.address)
            await _started(settings.web.address, web.start)
            closing.push_async_callback(web.stop)
        stops: list[Callable[[], Awaitable[None]]] = []
        # Whatever fails from here on, what has been started is stopped.
        closing.push_async_callback(_all_at_once, stops)
        if settings.sink.enabled:
            sink = Sink(fronts.sink_options(settings), self._pipeline)
            await sink.start()
            stops.append(lambda: sink.stop(GRACE_SECONDS))
        if settings.milter.enabled:
            milter = MilterFront(
                fronts.milter_options(settings),
                self._pipeline,
                self._outgoing,
                asyncio.get_running_loop(),
                self._milter_ended,
            )
            milter.start()
            stops.append(lambda: _stop_milter(milter))
        if settings.access.enabled:
            access = AccessFront(fronts.access_options(settings), self._outgoing)
            await _started(settings.access.address, access.start)
            stops.append(access.stop)
        self._mailboxes = MailboxFront(fronts.mailboxes(settings), self._pipeline, settings.state_directory)
        self._mailboxes.start()
        stops.append(lambda: self._mailboxes.stop(GRACE_SECONDS))

    def _milter_ended(self, reason: str) -> None:
        """End, and let the service manager start us anew: libmilter can't be started twice in one process."""
        _log.debug("stopping_without_milter", reason=reason)
        self._failed = True
        self._stop.set()

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self.reload)

    def reload(self) -> None:
        """Take the configuration over anew: all of it or, with any fault, nothing."""
        if not self._started:  # the file may have changed since it was read
            self._reload_wanted = True
            return
        notify.reloading()
        try:
            self._take_over(load(self._path))
        except (SettingsError, RulesError, StartError) as error:
            RELOAD_SUCCESS.set(0)
            _log.error("reload_failed", errors=str(error).splitlines())
        except Exception as error:  # noqa: BLE001  (whatever it is, the old configuration stays)
            RELOAD_SUCCESS.set(0)
            _log.error("reload_failed", errors=[repr(error)], exc_info=error)
        else:
            RELOAD_SUCCESS.set(1)
            RELOAD_TIME.set_to_current_time()
            _log.info("reloaded", configuration=str(self._path))
        notify.ready()

    def _take_over(self, settings: Settings) -> None:
        fixed = needs_restart(self._settings, settings)
        if fixed:
            raise StartError(f"only a restart changes {', '.join(fixed)}")
        classifier = pipeline.classifier(settings)
        options, outgoing_options = pipeline.pipeline_options(settings), outgoing.outgoing_options(settings)
        self._pipeline.configure(classifier, options)
        self._outgoing.configure(outgoing_options)
        self._mailboxes.configure(fronts.mailboxes(settings))
        self._settings = settings
        log.configure(settings.log.level)

    async def _feed_watchdog(self) -> None:
        """Feed the service manager's watchdog, only ever after a full round trip through loop, writer and store."""
        interval = min(PING_SECONDS, notify.watchdog_interval() or PING_SECONDS)
        while True:
            if await self._round_trip():
                notify.watchdog()
            await asyncio.sleep(interval)

    async def _round_trip(self) -> bool:
        """Whether store and writer answered; that they could not write is an answer, and no reason to restart."""
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                await self._store.ping()
        except StoreUnavailable as error:
            self._store_failed(str(error))
            return True
        except TimeoutError:
            self._store_failed("no answer")
            return False
        except Exception as error:  # noqa: BLE001  (nothing that was foreseen: a restart looks at the file anew)
            self._store_failed(repr(error))
            return False
        if refusal := self._pipeline.store_failure():
            self._store_failed(refusal)
            return True
        if self._broken:
            _log.info("store_recovered")
        self._broken = ""
        STORE_UP.set(1)
        return True

    def _store_failed(self, reason: str) -> None:
        STORE_UP.set(0)
        now = time.monotonic()
        if now - self._last_complaint >= _COMPLAINT_SECONDS:
            self._last_complaint = now
            _log.error("store_down", error=reason)
        self._broken = "store unavailable"

    def _resolver(self) -> str | None:
        """Who is asked for domains that others did not find; None where nobody is."""
        settings = self._settings.policy
        return settings.resolver if settings.confirm_domains else None

    async def _purge(self) -> None:
        """Forget what is older than its retention, once an hour."""
        guard = ClockGuard()
        while True:
            try:
                now, last = dt.datetime.now(dt.UTC), await self._store.purged_at()
                if guard.believes(now, last):
                    await self._store.purge(now, pipeline.retention(self._settings))
                else:
                    _log.warning("purge_held", last=str(last), now=str(now))
            except Exception as error:  # noqa: BLE001  (the next hour may bring more luck)
                _log.warning("purge_failed", error=str(error))
            await asyncio.sleep(PURGE_SECONDS)

    async def _refresh(self) -> None:
        """Bring the gauges that mirror the store up to date."""
        try:
            active = await self._store.listing.count_by_cause(dt.datetime.now(dt.UTC))
            undecided = await self._store.incidents.undecided()
        except StoreUnavailable:
            return
        for cause in Cause:
            SUPPRESSED.labels(cause).set(active.get(cause, 0))
        PENDING.set(undecided.pending)
        INCIDENTS_OPEN.set(undecided.open)


def _declare() -> None:
    """Give every figure its value from the start, so that the first change is one that Prometheus can see."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs has no types
    balance.declare()
    pipeline_path.declare()
    declare_outgoing()
    alerting.declare()
    hook.declare()
    INFO.labels(bouncemilter.__version__).set(1)
    RELOAD_SUCCESS.set(1)
    RELOAD_TIME.set_to_current_time()


def _reason(error: OSError) -> str:
    """What could not be had, and why, in one line."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


async def _started(what: str, start: Callable[[], Awaitable[None]]) -> None:
    try:
        await start()
    except OSError as error:
        raise StartError(f"{what}: {error.strerror or error}") from error


async def _all_at_once(stops: list[Callable[[], Awaitable[None]]]) -> None:
    """Stop the fronts side by side, so that each has the whole grace."""
    await asyncio.gather(*(stop() for stop in stops))


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and (fault := task.exception()):
        _log.error("internal_error", exc_info=fault)


async def _stop_milter(milter: MilterFront) -> None:
    await milter.drain(GRACE_SECONDS)
    await milter.stop()

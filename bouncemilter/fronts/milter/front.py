"""The milter's life: open the socket, run libmilter in a thread, drain, stop.

libmilter is one of a kind in its process: its callbacks are global, and once stopped it does not start again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import milter
import structlog

from bouncemilter import listener
from bouncemilter.endpoint import Endpoint
from bouncemilter.fronts.milter.admission import Admission
from bouncemilter.fronts.milter.callbacks import Callbacks
from bouncemilter.fronts.milter.nudge import Nudge
from bouncemilter.fronts.milter.options import MilterOptions
from bouncemilter.fronts.milter.session import Service

if TYPE_CHECKING:
    from bouncemilter.pipeline import OutgoingPipeline, Pipeline

log = structlog.get_logger(__name__)

_REPLY_TIME = 0.1
"""Seconds for libmilter to write the last replies after their callbacks have returned."""
_STOP_TIME = 6.0
"""Seconds for libmilter to end; left to itself it takes up to 5."""


class SocketError(Exception):
    """The milter's socket can't be opened; the text names it."""


class MilterFront:
    """The milter on one socket, for mail that comes or leaves. Its methods belong to the thread of `loop`."""

    def __init__(
        self,
        options: MilterOptions,
        pipeline: Pipeline,
        outgoing: OutgoingPipeline,
        loop: asyncio.AbstractEventLoop,
        on_exit: Callable[[str], None] | None = None,
    ) -> None:
        """`on_exit` is called on the loop, with the reason, if libmilter ends without having been stopped."""
        self._options = options
        self._endpoint = Endpoint.parse(options.socket)
        self._loop = loop
        self._on_exit = on_exit
        self._admission = Admission(options.messages)
        self._callbacks = Callbacks(Service(pipeline, outgoing, loop, options, self._admission, Nudge(self._endpoint)))
        self._thread = threading.Thread(target=self._run, name="milter", daemon=True)
        self._stopping = False
        self._ended = False

    @property
    def alive(self) -> bool:
        """Whether libmilter is running."""
        return self._thread.is_alive() and not self._ended

    @property
    def held(self) -> int:
        """Messages of ours between their first recipient and their end."""
        return self._admission.held

    def start(self) -> None:
        """Open the socket and serve it; SocketError where it can't be opened."""
        self._callbacks.register()
        milter.settimeout(self._options.idle_timeout)
        milter.setconn(_notation(self._endpoint))
        self._open_socket()
        self._thread.start()
        log.info("milter_started", socket=self._options.socket)

    async def drain(self, grace: float) -> bool:
        """Put new messages of ours off; True once all others have ended, False after `grace` seconds."""
        drained = await self._admission.drain(grace)
        await asyncio.sleep(_REPLY_TIME)
        return drained

    async def stop(self) -> None:
        """End libmilter. Open sessions get no more replies, so drain first."""
        self._stopping = True
        if self._thread.is_alive():
            await asyncio.to_thread(self._stop)
        log.info("milter_stopped", socket=self._options.socket)

    def _open_socket(self) -> None:
        path = Path(self._endpoint.path)
        try:
            if not self._endpoint.path:
                milter.opensocket(False)  # noqa: FBT003  (nothing to remove)
                return
            _prepare(path)
            # The mask is the whole process's, but for no longer than it takes to bind; a chmod alone would leave the
            # socket open to others for as long.
            before = os.umask(0o777 & ~self._options.socket_mode)
            try:
                milter.opensocket(False)  # noqa: FBT003  (a stale socket is gone by now)
            finally:
                os.umask(before)
            path.chmod(self._options.socket_mode)
        except (milter.error, OSError) as error:
            raise SocketError(f"milter socket {self._options.socket}: {_reason(error)}") from error

    def _run(self) -> None:
        try:
            milter.main()
            reason = "libmilter ended"
        except milter.error as error:
            reason = _reason(error)
        self._ended = True
        if not self._stopping:
            log.error("milter_ended", socket=self._options.socket, reason=reason)
            if self._on_exit is not None:
                with contextlib.suppress(RuntimeError):  # the loop is closed: the process is ending
                    self._loop.call_soon_threadsafe(self._on_exit, reason)

    def _stop(self) -> None:
        # stop() waits for the listener to look up from its poll; a connection makes it do so at once.
        threading.Thread(target=milter.stop, name="milter-stop", daemon=True).start()
        self._thread.join(0.02)
        with contextlib.suppress(OSError):
            self._endpoint.connect(1).close()
        self._thread.join(_STOP_TIME)


def _notation(endpoint: Endpoint) -> str:
    """An endpoint as libmilter writes it: `inet:PORT@HOST`."""
    if endpoint.path:
        return str(endpoint)
    family, host = ("inet6", f"[{endpoint.host}]") if ":" in endpoint.host else ("inet", endpoint.host)
    return f"{family}:{endpoint.port}@{host}"


def _prepare(path: Path) -> None:
    """Refuse what libmilter would fail on without a reason, and take a stale socket away."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"the folder {path.parent} can't be written")
    listener.remove_stale(path)


def _reason(error: BaseException) -> str:
    """The words of an error, without its path and number."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__

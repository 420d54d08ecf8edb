"""Binding sessions to libmilter: every callback guarded, so that no exception reaches the C side or the peer."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any

import milter
import structlog
from prometheus_client import Counter, Gauge

from bouncemilter.fronts.milter.negotiation import ACTIONS, Negotiated, negotiate
from bouncemilter.fronts.milter.session import Service, Session
from bouncemilter.model import Front
from bouncemilter.pipeline.balance import INTERNAL_ERRORS

SESSIONS = Counter("bouncemilter_milter_sessions_total", "Sessions that the MTA opened.")
SESSIONS_OPEN = Gauge("bouncemilter_milter_sessions_open", "Sessions that are open now.")
CALLBACK_ERRORS = Counter(
    "bouncemilter_milter_internal_errors_total", "Exceptions in a callback of the milter, by callback.", ["callback"]
)

NAME = "bouncemilter"
_STAGES = ("connect", "mail", "rcpt", "data", "header", "eoh", "body", "eom", "abort", "close")
for _stage in ("negotiate", *_STAGES):
    CALLBACK_ERRORS.labels(_stage)

log = structlog.get_logger(__name__)


class Callbacks:
    """libmilter's callbacks for one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._tag_mode_said = False

    def register(self) -> None:
        """Hand them to libmilter, which has one set for the whole process."""
        on = {stage: self._guarded(stage) for stage in _STAGES}
        milter.set_flags(ACTIONS)
        milter.set_connect_callback(on["connect"])
        milter.set_envfrom_callback(on["mail"])
        milter.set_envrcpt_callback(on["rcpt"])
        milter.set_header_callback(on["header"])
        milter.set_eoh_callback(on["eoh"])
        milter.set_body_callback(on["body"])
        milter.set_eom_callback(on["eom"])
        milter.set_abort_callback(on["abort"])
        milter.set_close_callback(on["close"])
        milter.register(NAME, data=on["data"], negotiate=self._negotiate)
        # For what fails on the C side before a callback is reached: a header name that is no UTF-8. The rest of
        # the message is read all the same.
        milter.set_exception_policy(milter.CONTINUE)

    def _negotiate(self, context: Any, options: list[int]) -> int:
        """Called with what the MTA offers (actions, steps, 0, 0); leaves in `options` what is used."""
        try:
            negotiated = negotiate(options[0], options[1], outgoing=self._service.outgoing.active)
            self._open(context, negotiated)
            if negotiated.can_name_macros:
                _name_macros(context)
            options[:] = [negotiated.actions, negotiated.steps, 0, 0]
            self._say_tag_mode(negotiated)
        except Exception:  # noqa: BLE001  (nothing may reach the C side)
            _report(context, "negotiate")
            # Without a session `connect` accepts everything: the MTA's mail is not ours to stop.
            self._close(context)
            options[:] = [0, 0, 0, 0]
        return int(milter.CONTINUE)

    def _guarded(self, stage: str) -> Callable[..., int]:
        def callback(context: Any, *arguments: Any) -> int:
            session: Session | None = context.getpriv()
            if session is None:  # the negotiation failed: all of the MTA's mail goes on
                return int(milter.CONTINUE if stage in ("abort", "close") else milter.ACCEPT)
            try:
                reply: int = getattr(session, stage)(context, *arguments)
            except Exception:  # noqa: BLE001  (nothing may reach the C side, or the peer)
                _report(context, stage)
                reply = session.failed(context, stage)
            if stage == "close":
                self._close(context)
            return int(milter.NOREPLY) if session.negotiated.silent(stage) else reply

        return callback

    def _open(self, context: Any, negotiated: Negotiated) -> None:
        self._close(context)  # a second negotiation starts afresh
        context.setpriv(Session(self._service, negotiated))
        SESSIONS.inc()
        SESSIONS_OPEN.inc()

    def _close(self, context: Any) -> None:
        session: Session | None = context.getpriv()
        if session is not None:
            session.reset()
            context.setpriv(None)
            SESSIONS_OPEN.dec()

    def _say_tag_mode(self, negotiated: Negotiated) -> None:
        if not negotiated.can_delete and not self._tag_mode_said:
            self._tag_mode_said = True
            log.warning("milter_tag_mode", missing="SMFIF_DELRCPT", effect="mixed messages are recorded and delivered")


def _name_macros(context: Any) -> None:
    """Ask for what streams are known by, for the queue id at the end, and for nothing else worth its time."""
    for stage in (milter.M_HELO, milter.M_ENVRCPT, milter.M_DATA, milter.M_EOH):
        context.setsymlist(stage, "")
    context.setsymlist(milter.M_CONNECT, "{daemon_name}")
    context.setsymlist(milter.M_ENVFROM, "{auth_authen}")
    context.setsymlist(milter.M_EOM, "i")


def _report(context: Any, stage: str) -> None:
    with contextlib.suppress(Exception):  # a log that can't be written must not cost the answer
        CALLBACK_ERRORS.labels(stage).inc()
        INTERNAL_ERRORS.labels(Front.MILTER).inc()
        queue_id = context.getsymval("i") or ""
        log.error("internal_error", front=Front.MILTER, callback=stage, queue_id=queue_id, exc_info=sys.exc_info())

"""Our own faults: counted, logged with their detail, and answered with a constant text."""

from __future__ import annotations

from typing import Final

import structlog

from bouncemilter.model import Front
from bouncemilter.pipeline.balance import INTERNAL_ERRORS

TEMPORARY: Final = "451 4.3.0 Temporary failure, try again later"
"""The reply to whatever goes wrong inside: the MTA keeps the message."""

_log = structlog.get_logger()


def internal_error(error: BaseException, where: str) -> None:
    """Count and log an exception; `where` is a constant."""
    INTERNAL_ERRORS.labels(Front.SINK).inc()
    _log.error("internal_error", front=Front.SINK, where=where, exc_info=error)

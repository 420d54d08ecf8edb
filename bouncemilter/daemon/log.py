"""The log: one JSON object a line on standard output, with constant event names."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict, WrappedLogger

from bouncemilter import text

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(level: str) -> None:
    """Log everything from `level` up, our own events and those of the libraries."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.format_exc_info,
            _harmless,
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _library_event,
                _harmless,
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(_LEVELS[level], logging.WARNING), force=True)


def _library_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A library's line under a constant name, its words beside it."""
    return {**event, "event": "library_message", "message": event.get("event", "")}


def _harmless(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Foreign strings with their controls written as escapes: a line can be read on any terminal."""
    return {
        name: text.visible(value) if isinstance(value, str) and name != "exception" else value
        for name, value in event.items()
    }

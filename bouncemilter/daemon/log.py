"""The log: one JSON object a line on standard output, with constant event names."""

from __future__ import annotations

import logging
import sys
from functools import cache
from typing import Final, TextIO, cast

import structlog
from prometheus_client import Gauge
from structlog.typing import EventDict, WrappedLogger

from bouncemilter import text
from bouncemilter.daemon.output import Output

LAST_ERROR: Final = Gauge(
    "bouncemilter_last_error_timestamp_seconds", "When the log last got a line of the level error; 0: never"
)

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(level: str) -> None:
    """Log everything from `level` up, our own events and those of the libraries."""
    output = _output(sys.stdout)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            _note_error,
            structlog.processors.format_exc_info,
            _harmless,
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(output),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
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


@cache
def _output(stream: TextIO) -> TextIO:
    """The one output of the process: a reload does not forget what was lost. A stream in memory is taken as it is."""
    try:
        return cast(TextIO, Output(stream.fileno()))
    except OSError:
        return stream


def _note_error(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The time of the last error, for those who do not read the log."""
    if event.get("level") in ("error", "critical"):
        LAST_ERROR.set_to_current_time()
    return event


def _library_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A library's line under a constant name, its words beside it."""
    return {**event, "event": "library_message", "message": event.get("event", "")}


def _harmless(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Foreign strings with their controls written as escapes: a line can be read on any terminal."""
    return {
        name: text.visible(value) if isinstance(value, str) and name != "exception" else value
        for name, value in event.items()
    }

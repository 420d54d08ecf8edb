"""The streams: whose mail they take, and whether anybody looks at it."""

from __future__ import annotations

from bouncemilter.settings.checks.found import Found
from bouncemilter.settings.sections import match, return_path_of
from bouncemilter.settings.types import MatchSettings, Settings


def faults(settings: Settings) -> Found:
    """Streams that can't be told apart, match everything, or name a return path that is not there."""
    first: dict[str, int] = {}
    for index, stream in enumerate(settings.stream):
        before = first.setdefault(stream.name, index)
        if before != index:
            yield f"stream[{index}].name", f"{stream.name} is already the name of stream[{before}]"
        if stream.match == MatchSettings():
            yield f"stream[{index}].match", "empty: say whose mail it is, else incoming mail belongs to the stream, too"
        if stream.return_path and return_path_of(settings, stream) is None:
            yield f"stream[{index}].return_path", f"no [[return_path]] is {stream.return_path}"


def warnings(settings: Settings) -> Found:
    """Streams that a stranger's mail from outside can belong to, or that nothing looks at."""
    if settings.stream and not settings.milter.enabled:
        yield "milter.enabled", "false: the mail of the streams is not signed"
    if settings.access.enabled and not settings.stream:
        yield "access.enabled", "true, but no [[stream]] says which mail is held against the suppressions"
    for index, stream in enumerate(settings.stream):
        path = return_path_of(settings, stream)
        if path is not None and not path.key_file:
            yield f"stream[{index}].return_path", f"{stream.return_path} has no key_file: the mail leaves unsigned"
        if (stream.match.sender or stream.match.sender_domain) and not match(stream.match).says_who:
            yield (
                f"stream[{index}].match",
                "anybody can write an envelope sender: add daemon_name, sasl_login, client or local_user",
            )

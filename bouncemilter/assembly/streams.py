"""The streams of outgoing mail."""

from __future__ import annotations

from bouncemilter.settings import Settings
from bouncemilter.settings.sections import match, return_path, return_path_of
from bouncemilter.settings.types import StreamSettings
from bouncemilter.stream import Stream


def streams(settings: Settings) -> tuple[Stream, ...]:
    """All of them, in their order."""
    return tuple(_stream(settings, each) for each in settings.stream)


def _stream(settings: Settings, given: StreamSettings) -> Stream:
    path = return_path_of(settings, given)
    return Stream(
        name=given.name,
        kind=given.kind,
        match=match(given.match),
        return_path=return_path(path) if path else None,
        list_id=given.list,
        campaign_headers=tuple(given.campaign_headers),
        on_suppressed=given.suppressed,
        refuse_dead=given.refuse_dead,
    )

"""The streams of the settings."""

from __future__ import annotations

from bouncemilter import address
from bouncemilter.settings import signing
from bouncemilter.settings.types import MatchSettings, ReturnPathSettings, Settings, StreamSettings
from bouncemilter.stream import Match, Stream


def streams(settings: Settings) -> tuple[Stream, ...]:
    """All of them, in their order."""
    return tuple(_stream(settings, each) for each in settings.stream)


def match(settings: MatchSettings) -> Match:
    """What a message must have to belong to one of them."""
    return Match(
        daemon_name=tuple(settings.daemon_name),
        sasl_login=tuple(settings.sasl_login),
        client=tuple(settings.client),
        local_user=settings.local_user,
        sender=tuple(settings.sender),
        sender_domain=tuple(settings.sender_domain),
    )


def return_path_of(settings: Settings, stream: StreamSettings) -> ReturnPathSettings | None:
    """The return path that a stream names, by PREFIX@DOMAIN or by its domain alone; None where there is none."""
    prefix, _, name = stream.return_path.rpartition("@")
    wanted = address.domain_key(name)
    return next(
        (
            path
            for path in settings.return_path
            if path.domain == wanted and prefix.lower() in ("", path.prefix.lower())
        ),
        None,
    )


def _stream(settings: Settings, given: StreamSettings) -> Stream:
    path = return_path_of(settings, given)
    return Stream(
        name=given.name,
        kind=given.kind,
        match=match(given.match),
        return_path=signing.return_path(path) if path else None,
        list_id=given.list,
        campaign_headers=tuple(given.campaign_headers),
        on_suppressed=given.suppressed,
        refuse_dead=given.refuse_dead,
    )

"""The part of the settings that the doctor and the printed configuration need."""

from __future__ import annotations

from bouncemilter.daemon import assembly
from bouncemilter.doctor.check import Host
from bouncemilter.doctor.site import Site
from bouncemilter.settings import Settings, signing
from bouncemilter.settings.streams import streams


def site_of(settings: Settings) -> Site:
    """What the mail server must know."""
    lmtp = [listener.address for listener in settings.sink.listener if listener.protocol == "lmtp"]
    paths = settings.return_path
    return Site(
        return_paths=tuple((path.domain, path.prefix) for path in paths),
        sink=lmtp[0] if settings.sink.enabled and lmtp else "",
        milter=settings.milter.socket if settings.milter.enabled else "",
        watched=tuple(settings.inbound.addresses),
        delimiters=paths[0].delimiters if paths else "+=",
        signed=tuple((path.domain, path.prefix) for path in paths if path.key_file),
        senders=tuple((sender, path.domain) for path in paths for sender in path.sender_domains),
        dkim=signing.dkim_keys(settings),
        streams=streams(settings),
        access=settings.access.address if settings.access.enabled else "",
    )


def host(settings: Settings) -> Host:
    """What the doctor examines."""
    passed = settings.sink.enabled and not settings.sink.forward_to
    return Host(
        site=site_of(settings),
        passed=settings.state_directory / assembly.PASSED if passed else None,
        metrics=settings.web.address if settings.web.enabled else "",
        mta_names=tuple(settings.sink.mta_names or [assembly.host_name()]) if settings.sink.enabled else (),
    )

"""What the mail server must know, and what the doctor examines."""

from __future__ import annotations

from bouncemilter.assembly.host import mta_names, passed_maildir
from bouncemilter.assembly.returnpaths import dkim_keys
from bouncemilter.assembly.streams import streams
from bouncemilter.doctor.check import Host
from bouncemilter.mta.site import Site
from bouncemilter.settings import Settings


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
        streams=streams(settings),
        access=settings.access.address if settings.access.enabled else "",
    )


def host(settings: Settings) -> Host:
    """What the doctor examines. Raises dkim.PublicKeyError."""
    passed = settings.sink.enabled and not settings.sink.forward_to
    return Host(
        site=site_of(settings),
        passed=passed_maildir(settings) if passed else None,
        metrics=settings.web.address if settings.web.enabled else "",
        mta_names=mta_names(settings) if settings.sink.enabled else (),
        senders=tuple((sender, path.domain) for path in settings.return_path for sender in path.sender_domains),
        dkim=dkim_keys(settings),
    )

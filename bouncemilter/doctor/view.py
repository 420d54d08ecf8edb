"""The part of the settings that the doctor and the printed configuration need."""

from __future__ import annotations

from bouncemilter.daemon import assembly
from bouncemilter.doctor.check import Host
from bouncemilter.doctor.postfix import PostfixView
from bouncemilter.settings import Settings


def postfix_view(settings: Settings) -> PostfixView:
    """What Postfix must know."""
    lmtp = [listener.address for listener in settings.sink.listener if listener.protocol == "lmtp"]
    return PostfixView(
        return_paths=tuple((path.domain, path.prefix) for path in settings.return_path),
        sink=lmtp[0] if settings.sink.enabled and lmtp else "",
        milter=settings.milter.socket if settings.milter.enabled else "",
        watched=tuple(settings.inbound.addresses),
        delimiters=settings.return_path[0].delimiters if settings.return_path else "+=",
    )


def host(settings: Settings) -> Host:
    """What the doctor examines."""
    passed = settings.sink.enabled and not settings.sink.forward_to
    return Host(
        view=postfix_view(settings),
        passed=settings.state_directory / assembly.PASSED if passed else None,
        metrics=settings.web.address if settings.web.enabled else "",
        mta_names=tuple(settings.sink.mta_names or [assembly.host_name()]) if settings.sink.enabled else (),
    )

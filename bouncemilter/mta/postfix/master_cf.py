"""The services of master.cf, each with its reason: MILTER_README, lmtp(8), XFORWARD_README."""

from __future__ import annotations

from collections.abc import Iterator

from bouncemilter.mta.comment import comment
from bouncemilter.mta.postfix.sockets import TRANSPORT, milter_item
from bouncemilter.mta.site import FIRST_PORT, Site
from bouncemilter.stream import Stream, StreamKind


def render(site: Site) -> str:
    """All of them; empty where none is needed."""
    services = [*_sink_service(site), *_stream_services(site)]
    return "\n\n".join(services) + "\n" if services else ""


def _sink_service(site: Site) -> Iterator[str]:
    if not site.sink:
        return
    reason = comment("""
        The sink's own LMTP client. XFORWARD tells the sink which mail was made on this host (SOURCE=LOCAL). Without
        chroot, at most 50 at a time: the sink takes 128 connections. TLS stays off on a socket of this host.""")
    options = ("lmtp_send_xforward_command=yes", "lmtp_tls_security_level=none", f"syslog_name=postfix/{TRANSPORT}")
    lines = [f"{TRANSPORT} unix - - n - 50 lmtp", *(f"  -o {option}" for option in options)]
    yield "\n".join((reason.lstrip(), *lines))


def _stream_services(site: Site) -> Iterator[str]:
    """A service for each stream that is told by the name of one."""
    if not site.milter:
        return
    named = [stream for stream in site.owned if stream.match.daemon_name]
    for number, stream in enumerate(named):
        yield _service(site, stream, FIRST_PORT + number)


def _service(site: Site, stream: Stream, port: int) -> str:
    bulk = stream.kind is StreamKind.BULK
    away = "and they try again while it is away (tempfail)" if bulk else "and is let go while it is away (accept)"
    reason = comment(f"""
        Programs of the stream {stream.name} hand their mail in here: our milter knows it by its daemon name, {away}.
        Any free port, or the address of a network of your own, will do. A DKIM signer's socket comes behind ours.""")
    lines = (
        f"127.0.0.1:{port} inet n - n - - smtpd",
        f"  -o syslog_name=postfix/{stream.name}",
        f"  -o milter_macro_daemon_name={stream.match.daemon_name[0]}",
        f"  -o {{ smtpd_milters = {milter_item(site, 'tempfail' if bulk else 'accept')} }}",
        "  -o { smtpd_relay_restrictions = permit_mynetworks, reject }",
        "  -o smtpd_recipient_restrictions=",
    )
    return "\n".join((reason.lstrip(), *lines))

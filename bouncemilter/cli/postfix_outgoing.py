"""The part of `config postfix` about mail that leaves: streams, signed return paths, refusals without the milter.

Sources: SASL_README and postconf(5) on smtpd_sender_login_maps, MILTER_README, SMTPD_POLICY_README, socketmap_table(5).
"""

from __future__ import annotations

from collections.abc import Iterator

from bouncemilter.cli.comment import comment
from bouncemilter.doctor.postfix import below_queue, login_lines, milter_item
from bouncemilter.doctor.site import FIRST_PORT, Site
from bouncemilter.stream import Stream, StreamKind


def main(site: Site) -> Iterator[str]:
    """For main.cf: comments only, as none of it holds for the whole of Postfix."""
    if site.milter and site.owned:
        yield comment("""
            Streams: mail that leaves is asked about where it comes in. A DKIM signer comes behind our milter there, in
            smtpd_milters of the service as in non_smtpd_milters: milters are asked in their order.""")
    if site.signed:
        yield comment("""
            With reject_sender_login_mismatch smtpd compares the envelope sender that the client wrote, before any
            milter. So mail that the milter signs needs nothing; but a program that logs in and writes a signed return
            path itself needs a line of its own in a regexp table of smtpd_sender_login_maps:""")
        yield "\n".join(f"#   {line}" for line in login_lines(site))
    if site.access:
        yield from _access(site)


def master(site: Site) -> Iterator[str]:
    """For master.cf: a service for each stream that is told by the name of one."""
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


def _access(site: Site) -> Iterator[str]:
    """The two ways to refuse suppressed recipients where no milter is wanted."""
    kind, _, rest = site.access.partition(":")
    socket = f"unix:{below_queue(rest, site.queue_directory)}" if kind == "unix" else site.access
    names = [stream.name for stream in site.owned] or ["STREAM"]
    yield comment("""
        Without a milter: the first item in smtpd_recipient_restrictions of the service where a stream's mail comes in,
        one of these two. They refuse suppressed recipients, and neither sign nor count. While bouncemilter is away both
        say 451; for the second one default_action=DUNNO in the braces lets the mail go.""")
    for name in names:
        yield f"#   check_recipient_access socketmap:{socket}:{name}"
        yield f"#   check_policy_service {{ {socket}, policy_context={name} }}"

"""The lines of main.cf, each block with its reason.

Sources: postconf(5), MILTER_README, VERP_README; SASL_README on smtpd_sender_login_maps; SMTPD_POLICY_README,
socketmap_table(5).
"""

from __future__ import annotations

from collections.abc import Iterator

from bouncemilter import selftest
from bouncemilter.mta.comment import comment
from bouncemilter.mta.postfix.lookup_tables import access_table, login_lines, recipient_table, transport_table
from bouncemilter.mta.postfix.sockets import TRANSPORT, below_queue, milter_item
from bouncemilter.mta.site import Site

_HEAD = """\
# Where a parameter stands in main.cf already, add the value to its list instead of setting it twice: Postfix takes the
# last line only. Then: postfix check && postfix reload && bouncemilter doctor"""


def render(site: Site) -> str:
    """All of them."""
    parts = [_HEAD, *_routing(site), *(_milter(site) if site.milter else ()), *_sending(site), *_outgoing(site)]
    return "\n".join(parts) + "\n"


def _routing(site: Site) -> Iterator[str]:
    transport = transport_table(site).name
    if not site.sink:
        yield comment(f"""
            The doctor's self-test mail goes to {selftest.DOMAIN}, and bounces here at once.""")
        yield _setting("transport_maps", transport)
        yield comment(f"""
            The return paths must be addresses that this host delivers, as any other mailbox ({_addresses(site)}),
            with everything behind the delimiter. What bouncemilter consumes never gets there; while it is away the
            bounces do.""")
        yield _setting("recipient_delimiter", site.delimiters[0])
        return
    yield comment(f"""
        Mail to the return paths goes to the sink: bounces of remote hosts and of this Postfix alike. While the sink
        is away the mail waits in the queue, nothing is lost. A return-path domain must not stand in mydestination,
        virtual_alias_domains or virtual_mailbox_domains. {selftest.DOMAIN} is for `bouncemilter doctor`.""")
    yield _setting("relay_domains", ", ".join(site.domains))
    yield _setting("transport_maps", transport)
    if site.watched and not site.milter:
        yield comment("""
            The watched addresses have lines of their own in the transport table. What a person wrote to them goes on to
            forward_to, which must not lead back here.""")
    yield comment("""
        Port 25 itself refuses what is no return path, postmaster@, abuse@ or review@. Else Postfix would take it,
        the sink refuse it, and Postfix would mail a bounce to a forged sender. This holds for all of relay_domains:
        for another domain of yours without a list of recipients, add a line  /@other\\.example$/ OK  to the table.""")
    yield _setting("relay_recipient_maps", recipient_table(site).name)
    yield comment("""
        One recipient in a transaction: one reply for each, whatever happens.""")
    yield _setting(f"{TRANSPORT}_destination_recipient_limit", "1")
    yield comment("""
        No greylisting for bounces: many senders of bounces never come back. This must stand before any
        check_policy_service. It opens no relay: it speaks of our own domains only, after smtpd_relay_restrictions,
        and unknown recipients are refused all the same. A greylisting milter (Rspamd) needs its own exemption.""")
    yield _setting("smtpd_recipient_restrictions", f"check_recipient_access {access_table(site).name}")


def _milter(site: Site) -> Iterator[str]:
    yield comment("""
        The inbound milter, behind the spam filter: the last in the list. accept: while it is away, mail is delivered as
        if it weren't there; its own time-outs: while it hangs, a session waits seconds instead of minutes. A relative
        path is meant below the queue directory, chrooted or not.""")
    yield _setting("smtpd_milters", milter_item(site))
    yield comment("""
        Postfix shows its own bounces to milters only with both of these. Mail of local programs passes untouched.""")
    yield _setting("non_smtpd_milters", milter_item(site))
    yield _setting("internal_mail_filter_classes", "bounce")


def _sending(site: Site) -> Iterator[str]:
    domain, prefix = site.return_paths[0] if site.return_paths else ("example.com", "bounces")
    plus, equals = site.delimiters[0], site.delimiters[1]
    yield comment(f"""
        Sending: each recipient needs a return path of its own,
          {site.verp((domain, prefix), "user@example.org")}  for  user@example.org
        A program that knows VERP writes it itself. Postfix writes it for others (VERP_README), by command or by SMTP:
          sendmail -XV -f {prefix}@{domain} -- user@example.org other@example.net
          MAIL FROM:<{prefix}@{domain}> XVERP={plus}{equals}
        XVERP only from this host; name other clients here if they send the mailings.""")
    yield _setting("default_verp_delimiters", site.delimiters)
    yield _setting("smtpd_authorized_verp_clients", "127.0.0.0/8, [::1]/128")


def _outgoing(site: Site) -> Iterator[str]:
    """Mail that leaves: comments only, as none of it holds for the whole of Postfix."""
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


def _addresses(site: Site) -> str:
    return ", ".join(f"{prefix}@{domain}" for domain, prefix in site.return_paths)


def _setting(name: str, value: str) -> str:
    return f"{name} = {value}"

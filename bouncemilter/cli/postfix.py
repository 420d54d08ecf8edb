"""What `bouncemilter config postfix` prints: every line that Postfix needs, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from bouncemilter import selftest
from bouncemilter.cli import postfix_outgoing
from bouncemilter.cli.comment import comment
from bouncemilter.doctor.postfix import (
    TRANSPORT,
    Table,
    access_table,
    milter_item,
    recipient_table,
    tables,
    transport_table,
)
from bouncemilter.doctor.site import Site


@dataclass(frozen=True, slots=True)
class Snippet:
    """The lines for each file, with their explanations as comments."""

    main: str
    """For main.cf."""
    master: str
    """For master.cf; empty where nothing is needed there."""
    tables: tuple[Table, ...]
    """The lookup tables, to be written as they are."""

    @property
    def maps(self) -> str:
        """The lookup tables, each headed by the name of its file."""
        return "\n".join(f"# {table.path}\n" + "".join(f"{line}\n" for line in table.lines) for table in self.tables)

    def __str__(self) -> str:
        files = f"lookup tables: mkdir {PurePosixPath(self.tables[0].path).parent}, and one file each"
        parts = [(files, self.maps), ("main.cf", self.main), ("master.cf", self.master)]
        return "\n".join(f"##### {title}\n\n{text}" for title, text in parts if text)


def snippet(site: Site) -> Snippet:
    """The lines for `site`. Raises ValueError where neither a sink nor a milter listens."""
    if not site.sink and not site.milter:
        raise ValueError("neither an LMTP sink nor a milter is configured")
    return Snippet("\n".join(_main(site)) + "\n", _master(site), tables(site))


def _main(site: Site) -> Iterator[str]:
    yield _HEAD
    yield from _routing(site)
    if site.milter:
        yield from _milter(site)
    yield from _sending(site)
    yield from postfix_outgoing.main(site)


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
          {prefix}{plus}user{equals}example.org@{domain}  for  user@example.org
        A program that knows VERP writes it itself. Postfix writes it for others (VERP_README), by command or by SMTP:
          sendmail -XV -f {prefix}@{domain} -- user@example.org other@example.net
          MAIL FROM:<{prefix}@{domain}> XVERP={plus}{equals}
        XVERP only from this host; name other clients here if they send the mailings.""")
    yield _setting("default_verp_delimiters", site.delimiters)
    yield _setting("smtpd_authorized_verp_clients", "127.0.0.0/8, [::1]/128")


def _master(site: Site) -> str:
    services = [*_sink_service(site), *postfix_outgoing.master(site)]
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


_HEAD = """\
# Where a parameter stands in main.cf already, add the value to its list instead of setting it twice: Postfix takes the
# last line only. Then: postfix check && postfix reload && bouncemilter doctor"""


def _addresses(site: Site) -> str:
    return ", ".join(f"{prefix}@{domain}" for domain, prefix in site.return_paths)


def _setting(name: str, value: str) -> str:
    return f"{name} = {value}"

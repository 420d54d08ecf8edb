"""Which checks make sense on this host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bouncemilter.doctor import command, names, postconf, sendmailcf, sendmailchecks
from bouncemilter.doctor.check import Check, Context, Finding, Host, Seen, warn
from bouncemilter.doctor.command import Run
from bouncemilter.doctor.domains import Dkim, Dmarc, MailExchanger, Spf
from bouncemilter.doctor.metrics import Metrics
from bouncemilter.doctor.milters import Delimiter, MilterListed, OwnBounces
from bouncemilter.doctor.names import Lookup
from bouncemilter.doctor.outgoing import BeforeSigner, Masquerading, RelayHost
from bouncemilter.doctor.passed import PassedMaildir
from bouncemilter.doctor.postconf import Facts
from bouncemilter.doctor.routing import DomainClass, Greylisting, OwnReports, Recipients, Route, VerpDelimiters
from bouncemilter.doctor.runner import Row, examine
from bouncemilter.doctor.selftest import SelfTest, SendmailSelfTest, SmtpSelfTest
from bouncemilter.doctor.sockets import SocketAccepts, SocketPermissions


class MailServer(StrEnum):
    """Which one this host has."""

    AUTO = "auto"
    """Postfix where it has a configuration, else Sendmail where that has one."""
    POSTFIX = "postfix"
    SENDMAIL = "sendmail"


@dataclass(frozen=True, slots=True)
class NoMailServer:
    """Stands for the checks of the mail server where there is none that we know."""

    wanted: MailServer = MailServer.AUTO
    name: str = "mail server"

    async def run(self, _context: Context) -> Finding:
        """Say so."""
        known = "Postfix or Sendmail" if self.wanted is MailServer.AUTO else self.wanted.title()
        text = f"no configuration of {known} is found: routing is not checked"
        return warn(text, "With another mail server, see that it brings the return paths to the sockets above.")


@dataclass(frozen=True, slots=True)
class Where:
    """Where the mail server is looked for, and whom the checks ask."""

    mail_server: MailServer = MailServer.AUTO
    postfix: str = ""
    """The folder of Postfix's main.cf, where it is not the default one."""
    sendmail: str = ""
    """The folder of Sendmail's sendmail.cf, where it is not /etc/mail."""
    smtp: str = "127.0.0.1:25"
    """HOST:PORT where the mail server takes mail of other hosts."""
    lookup: Lookup | None = None
    """Asks DNS; None: the host's own resolvers do."""


async def examine_host(
    host: Host, seen: Seen | None, where: Where = Where(), *, run: Run = command.run
) -> tuple[Row, ...]:
    """Examine this host. Takes up to a minute."""
    postfix = sendmail = None
    if where.mail_server is not MailServer.SENDMAIL:
        postfix = await postconf.read(run, where.postfix)
    if where.mail_server is not MailServer.POSTFIX and postfix is None:
        sendmail = await sendmailcf.read(where.sendmail)
    context = Context(host, run, seen, where.lookup or names.lookup(), where.smtp)
    return await examine(checks(host, postfix, sendmail, where.mail_server), context)


def checks(
    host: Host,
    postfix: Facts | None,
    sendmail: sendmailcf.Facts | None = None,
    wanted: MailServer = MailServer.AUTO,
) -> Iterator[Check]:
    """The checks for this host, from the daemon outward; the self-tests last, as the others explain their failure."""
    owner = (postfix.value("mail_owner") or "postfix") if postfix else ""
    for name, address in (("sink", host.site.sink), ("milter", host.site.milter)):
        if address:
            yield SocketAccepts(f"{name} socket", address)
        if address.startswith("unix:"):
            yield SocketPermissions(f"{name} socket's permissions", Path(address.removeprefix("unix:")), owner)
    if host.metrics:
        yield Metrics(host.metrics)
    if host.passed is not None:
        yield PassedMaildir(host.passed)
    if postfix is not None:
        yield from _postfix_checks(host, postfix)
    elif sendmail is not None:
        yield from _sendmail_checks(host, sendmail)
    else:
        yield NoMailServer(wanted)
    yield from _name_checks(host)
    if postfix is not None:
        yield from (SelfTest(*path, postfix) for path in host.site.return_paths)
    elif sendmail is not None and host.site.sink:
        yield from (SendmailSelfTest(*path, sendmail) for path in host.site.return_paths)
    if postfix is not None or sendmail is not None:
        yield from (SmtpSelfTest(f"{path[1]}@{path[0]}", path) for path in host.site.return_paths)
        yield from (SmtpSelfTest(address) for address in host.site.watched)


def _postfix_checks(host: Host, facts: Facts) -> Iterator[Check]:
    site = host.site
    if site.sink:
        for domain in site.domains:
            yield DomainClass(domain, facts)
        for domain, prefix in site.return_paths:
            yield Route(domain, prefix, facts)
            yield Recipients(domain, prefix, facts)
            yield Greylisting(domain, prefix, facts)
        if host.mta_names:
            yield OwnReports(facts)
    else:
        yield Delimiter(facts)
    if site.milter:
        yield MilterListed(facts, "smtpd_milters")
        yield MilterListed(facts, "non_smtpd_milters")
        yield OwnBounces(facts)
    if site.milter and site.streams:
        yield BeforeSigner(facts)
    yield VerpDelimiters(facts)
    for domain in site.domains:
        yield Masquerading(domain, facts)
    yield RelayHost(facts)


def _sendmail_checks(host: Host, facts: sendmailcf.Facts) -> Iterator[Check]:
    site = host.site
    if site.sink:
        for domain, prefix in site.return_paths:
            yield sendmailchecks.Route(domain, prefix, facts)
            yield sendmailchecks.Recipients(domain, prefix, facts)
    else:
        yield sendmailchecks.OwnReports()
    if site.milter:
        yield sendmailchecks.MilterListed(facts)
    if site.milter and site.streams:
        yield sendmailchecks.BeforeSigner(facts)


def _name_checks(host: Host) -> Iterator[Check]:
    for domain in host.site.domains:
        yield MailExchanger(domain)
        yield Spf(domain)
    for sender, path in dict.fromkeys(host.site.senders):
        yield Dmarc(sender, path)
    yield from map(Dkim, host.site.dkim)

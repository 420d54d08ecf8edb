"""Which checks make sense on this host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bouncemilter.doctor import command
from bouncemilter.doctor.check import Check, Context, Finding, Host, Seen, warn
from bouncemilter.doctor.command import Run
from bouncemilter.doctor.dns import plan as dns_plan
from bouncemilter.doctor.dns.lookup import Lookup, lookup
from bouncemilter.doctor.host import plan as host_plan
from bouncemilter.doctor.postfix import plan as postfix_plan
from bouncemilter.doctor.postfix import postconf
from bouncemilter.doctor.runner import Row, examine
from bouncemilter.doctor.selftest import SmtpSelfTest
from bouncemilter.doctor.sendmail import plan as sendmail_plan
from bouncemilter.doctor.sendmail import sendmailcf


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
    context = Context(host, run, seen, where.lookup or lookup(), where.smtp)
    return await examine(checks(host, postfix, sendmail, where.mail_server), context)


def checks(
    host: Host,
    postfix: postconf.Facts | None,
    sendmail: sendmailcf.Facts | None = None,
    wanted: MailServer = MailServer.AUTO,
) -> Iterator[Check]:
    """The checks for this host, from the daemon outward; the self-tests last, as the others explain their failure."""
    owner = (postfix.value("mail_owner") or "postfix") if postfix else ""
    yield from host_plan.checks(host, owner)
    if postfix is not None:
        yield from postfix_plan.checks(host, postfix)
    elif sendmail is not None:
        yield from sendmail_plan.checks(host, sendmail)
    else:
        yield NoMailServer(wanted)
    yield from dns_plan.checks(host)
    if postfix is not None:
        yield from postfix_plan.selftests(host, postfix)
    elif sendmail is not None:
        yield from sendmail_plan.selftests(host, sendmail)
    if postfix is not None or sendmail is not None:
        yield from (SmtpSelfTest(f"{path[1]}@{path[0]}", path) for path in host.site.return_paths)
        yield from (SmtpSelfTest(address) for address in host.site.watched)

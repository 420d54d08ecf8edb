"""Bounces of our own making: does this host's mail server bring its reports, and those of others, to us?

The mail server's own: a mail leaves by the command sendmail, with a return path as its sender, for a recipient that it
can only bounce: Postfix by error(8), Sendmail because the sink refuses it. It reports that at once to the return path.
Those of others: a report is handed to port 25. In either way the store must then have an event about the recipient.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Final

import aiosmtplib

from bouncemilter import selftest
from bouncemilter.doctor.check import Context, Finding, Seen, fail, ok, warn
from bouncemilter.doctor.postconf import Facts
from bouncemilter.doctor.postfix import SELFTEST_ANSWER
from bouncemilter.doctor.routing import PRINT
from bouncemilter.doctor.sendmail import MAILER
from bouncemilter.doctor.sendmailcf import Facts as SendmailFacts
from bouncemilter.doctor.sendmailchecks import PRINT as PRINT_SENDMAIL

PATIENCE: Final = 30.0
"""Seconds for the way through queue, bounce, front and store. An idle host takes one."""
POLL: Final = 0.25
SMTP_SECONDS: Final = 10.0
"""For each reply of port 25."""

_SWITCHED_OFF: Final = ("not tried: it was switched off", "Run doctor without --no-self-test.")


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Postfix's own bounce to a return path is seen."""

    domain: str
    prefix: str
    facts: Facts
    patience: float = PATIENCE
    name: str = "self-test bounce"

    async def run(self, context: Context) -> Finding:
        """Send the mail and wait for the event."""
        if context.seen is None:
            return warn(*_SWITCHED_OFF)
        route = await self.facts.lookup(context.run, "transport_maps", (selftest.DOMAIN,))
        if not route.startswith("error:"):
            # With a relayhost the mail would leave this host.
            return fail(f"not tried: transport_maps has no error: line for {selftest.DOMAIN}", PRINT)
        command = self.facts.value("sendmail_path") or "sendmail"
        directory = ("-C", self.facts.config_directory) if self.facts.config_directory else ()
        return await _own_bounce(context, (command, *directory), (self.domain, self.prefix), self.patience)


@dataclass(frozen=True, slots=True)
class SendmailSelfTest:
    """Sendmail's own bounce to a return path is seen."""

    domain: str
    prefix: str
    facts: SendmailFacts
    patience: float = PATIENCE
    name: str = "self-test bounce"

    async def run(self, context: Context) -> Finding:
        """Send the mail and wait for the event."""
        if context.seen is None:
            return warn(*_SWITCHED_OFF)
        way = await self.facts.way(context.run, f"postmaster@{selftest.DOMAIN}")
        if way.mailer != MAILER:
            return fail(f"not tried: the mailertable does not bring {selftest.DOMAIN} to the sink", PRINT_SENDMAIL)
        return await _own_bounce(context, self.facts.submission(), (self.domain, self.prefix), self.patience)


@dataclass(frozen=True, slots=True)
class SmtpSelfTest:
    """A report of another host, which comes by SMTP to a return path or a watched address, is seen."""

    address: str
    """Where the report goes; of a return path, the address before the delimiter."""
    path: tuple[str, str] | None = None
    """(domain, prefix) of a return path."""
    patience: float = PATIENCE
    name: str = "self-test by SMTP"

    async def run(self, context: Context) -> Finding:
        """Hand the report to port 25 and wait for the event."""
        if context.seen is None:
            return warn(*_SWITCHED_OFF)
        failed = _recipient()
        to = _return_path(self.path, failed, context.host.site.delimiters) if self.path else self.address
        host, _, port = context.smtp.rpartition(":")
        client = aiosmtplib.SMTP(hostname=host, port=int(port), timeout=SMTP_SECONDS, start_tls=False)
        try:
            async with client:
                await client.sendmail("", [to], _report(to, failed))
        except (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError) as error:
            return warn(f"not tried: nobody takes mail at {context.smtp} ({error})", "doctor --smtp HOST:PORT")
        except aiosmtplib.SMTPException as error:
            return fail(f"{context.smtp} refuses a report to {self.address}: {error}", "See the lines above.")
        front = await _wait(context.seen, failed, self.patience)
        if front is None:
            text = f"a report by SMTP to {self.address} was taken, and not seen within {self.patience:g} s"
            return fail(text, "It lies in that mailbox or in the queue; the lines above say more.")
        return ok(f"a report by SMTP to {self.address} came in by the {front}")


async def _own_bounce(context: Context, sendmail: tuple[str, ...], path: tuple[str, str], patience: float) -> Finding:
    assert context.seen is not None
    recipient, (domain, prefix) = _recipient(), path
    sender = _return_path(path, recipient, context.host.site.delimiters)
    sent = await context.run((*sendmail, "-f", sender, "--", recipient), _mail(recipient))
    if sent.code != 0:
        return fail(f"sendmail refused the mail: {sent.err.strip()[:200]}", "See the mail log: is the mail server up?")
    front = await _wait(context.seen, recipient, patience)
    if front is None:
        text = f"no bounce to {prefix}@{domain} within {patience:g} s"
        return fail(text, "mailq, and the mail log: where did the bounce of this mail go? The lines above say more.")
    return ok(f"a bounce of this MTA to {prefix}@{domain} came in by the {front}")


async def _wait(seen: Seen, recipient: str, patience: float) -> str | None:
    try:
        async with asyncio.timeout(patience):
            while (front := await seen(recipient)) is None:  # noqa: ASYNC110  (another process writes the event)
                await asyncio.sleep(POLL)
    except TimeoutError:
        return None
    return front


def _recipient() -> str:
    return f"selftest-{secrets.token_hex(6)}@{selftest.DOMAIN}"


def _return_path(path: tuple[str, str], recipient: str, delimiters: str) -> str:
    (domain, prefix), (local, _, host) = path, recipient.partition("@")
    return f"{prefix}{delimiters[0]}{local}{delimiters[1]}{host}@{domain}"


def _mail(recipient: str) -> bytes:
    return (
        f"From: bouncemilter doctor <postmaster>\nTo: {recipient}\nSubject: bouncemilter self-test\n"
        "Auto-Submitted: auto-generated\n\n"
        "This mail is to bounce. It shows that the bounces of this host reach bouncemilter.\n"
    ).encode()


def _report(to: str, failed: str) -> bytes:
    """A delivery status notification (RFC 3464), with CRLF."""
    lines = f"""\
From: bouncemilter doctor <postmaster>
To: {to}
Subject: bouncemilter self-test
Message-ID: <{failed}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="self-test"

--self-test
Content-Type: text/plain

bouncemilter doctor wrote this. It shows that bounces to this address reach bouncemilter, and may be deleted.

--self-test
Content-Type: message/delivery-status

Reporting-MTA: dns; {selftest.DOMAIN}

Final-Recipient: rfc822; {failed}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 {SELFTEST_ANSWER}

--self-test--
"""
    return lines.replace("\n", "\r\n").encode()

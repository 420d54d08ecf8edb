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

PATIENCE: Final = 30.0
"""Seconds for the way through queue, bounce, front and store. An idle host takes one."""
POLL: Final = 0.25
SMTP_SECONDS: Final = 10.0
"""For each reply of port 25."""

SWITCHED_OFF: Final = ("not tried: it was switched off", "Run doctor without --no-self-test.")


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
            return warn(*SWITCHED_OFF)
        failed = _recipient()
        to = context.host.site.verp(self.path, failed) if self.path else self.address
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


async def own_bounce(context: Context, sendmail: tuple[str, ...], path: tuple[str, str], patience: float) -> Finding:
    """Send a mail by `sendmail` that can only bounce to the return path (domain, prefix), and wait for its event."""
    assert context.seen is not None
    recipient, (domain, prefix) = _recipient(), path
    sender = context.host.site.verp(path, recipient)
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
Diagnostic-Code: smtp; 550 {selftest.ANSWER}

--self-test--
"""
    return lines.replace("\n", "\r\n").encode()

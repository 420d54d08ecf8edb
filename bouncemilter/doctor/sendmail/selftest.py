"""Does a bounce of this Sendmail reach us?"""

from __future__ import annotations

from dataclasses import dataclass

from bouncemilter import selftest
from bouncemilter.doctor.check import Context, Finding, fail, warn
from bouncemilter.doctor.selftest import PATIENCE, SWITCHED_OFF, own_bounce
from bouncemilter.doctor.sendmail.routing import PRINT
from bouncemilter.doctor.sendmail.sendmailcf import Facts
from bouncemilter.mta.sendmail.definitions import MAILER


@dataclass(frozen=True, slots=True)
class SendmailSelfTest:
    """Sendmail's own bounce to a return path is seen."""

    domain: str
    prefix: str
    facts: Facts
    patience: float = PATIENCE
    name: str = "self-test bounce"

    async def run(self, context: Context) -> Finding:
        """Send the mail and wait for the event."""
        if context.seen is None:
            return warn(*SWITCHED_OFF)
        way = await self.facts.way(context.run, f"postmaster@{selftest.DOMAIN}")
        if way.mailer != MAILER:
            return fail(f"not tried: the mailertable does not bring {selftest.DOMAIN} to the sink", PRINT)
        return await own_bounce(context, self.facts.submission(), (self.domain, self.prefix), self.patience)

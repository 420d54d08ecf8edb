"""Does a bounce of this Postfix reach us?"""

from __future__ import annotations

from dataclasses import dataclass

from bouncemilter import selftest
from bouncemilter.doctor.check import Context, Finding, fail, warn
from bouncemilter.doctor.postfix.postconf import Facts
from bouncemilter.doctor.postfix.routing import PRINT
from bouncemilter.doctor.selftest import PATIENCE, SWITCHED_OFF, own_bounce


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
            return warn(*SWITCHED_OFF)
        route = await self.facts.lookup(context.run, "transport_maps", (selftest.DOMAIN,))
        if not route.startswith("error:"):
            # With a relayhost the mail would leave this host.
            return fail(f"not tried: transport_maps has no error: line for {selftest.DOMAIN}", PRINT)
        command = self.facts.value("sendmail_path") or "sendmail"
        directory = ("-C", self.facts.config_directory) if self.facts.config_directory else ()
        return await own_bounce(context, (command, *directory), (self.domain, self.prefix), self.patience)

"""A bounce of our own making: does this host's MTA bring its reports to us?

A mail leaves by the MTA's sendmail command, with a return path as its sender, for a recipient that the transport table
sends to error(8). The MTA bounces it at once to the return path; the store must then have an event about the recipient.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Final

from bouncemilter import selftest
from bouncemilter.doctor.check import Context, Finding, fail, ok, warn
from bouncemilter.doctor.postconf import Facts
from bouncemilter.doctor.routing import PRINT

PATIENCE: Final = 30.0
"""Seconds for the way through queue, bounce, front and store. An idle host takes one."""
POLL: Final = 0.25


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A bounce of this MTA to a return path is seen."""

    domain: str
    prefix: str
    facts: Facts
    patience: float = PATIENCE
    name: str = "self-test bounce"

    async def run(self, context: Context) -> Finding:
        """Send the mail and wait for the event."""
        if context.seen is None:
            return warn("not tried: it was switched off", "Run doctor without --no-self-test.")
        route = await self.facts.lookup(context.run, "transport_maps", (selftest.DOMAIN,))
        if not route.startswith("error:"):
            # With a relayhost the mail would leave this host.
            return fail(f"not tried: transport_maps has no error: line for {selftest.DOMAIN}", PRINT)
        recipient = f"selftest-{secrets.token_hex(6)}@{selftest.DOMAIN}"
        sender = self._return_path(recipient, context.host.view.delimiters)
        sent = await context.run((*self._sendmail(), "-f", sender, "--", recipient), _mail(recipient))
        if sent.code != 0:
            return fail(f"sendmail refused the mail: {sent.err.strip()[:200]}", "postfix status; see the mail log")
        front = await self._wait(context, recipient)
        if front is None:
            text = f"no bounce to {self.prefix}@{self.domain} within {self.patience:g} s"
            return fail(
                text, "mailq, and the mail log: where did the bounce of this mail go? The lines above say more."
            )
        return ok(f"a bounce of this MTA to {self.prefix}@{self.domain} came in by the {front}")

    async def _wait(self, context: Context, recipient: str) -> str | None:
        assert context.seen is not None
        try:
            async with asyncio.timeout(self.patience):
                while (front := await context.seen(recipient)) is None:  # noqa: ASYNC110  (another process writes the event)
                    await asyncio.sleep(POLL)
        except TimeoutError:
            return None
        return front

    def _return_path(self, recipient: str, delimiters: str) -> str:
        local, _, domain = recipient.partition("@")
        return f"{self.prefix}{delimiters[0]}{local}{delimiters[1]}{domain}@{self.domain}"

    def _sendmail(self) -> tuple[str, ...]:
        command = self.facts.value("sendmail_path") or "sendmail"
        return (command, "-C", self.facts.config_directory) if self.facts.config_directory else (command,)


def _mail(recipient: str) -> bytes:
    return (
        f"From: bouncemilter doctor <postmaster>\nTo: {recipient}\nSubject: bouncemilter self-test\n"
        "Auto-Submitted: auto-generated\n\n"
        "This mail is to bounce. It shows that the bounces of this host reach bouncemilter.\n"
    ).encode()

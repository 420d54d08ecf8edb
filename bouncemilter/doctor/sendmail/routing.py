"""Does Sendmail bring the return paths to the sink, and refuse everything else at port 25?"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bouncemilter.doctor.check import Context, Finding, fail, ok
from bouncemilter.doctor.sendmail.sendmailcf import Facts
from bouncemilter.endpoint import Endpoint
from bouncemilter.mta.site import probe_addresses

PRINT: Final = "bouncemilter config sendmail"
"""The command that prints the missing lines."""


@dataclass(frozen=True, slots=True)
class Route:
    """Mail to a return path goes to the sink: else Sendmail's own reports, which pass milters by, are missed."""

    domain: str
    prefix: str
    facts: Facts
    name: str = "route to the sink"

    async def run(self, context: Context) -> Finding:
        """Ask Sendmail where it sends the address, and follow its mailer to the socket."""
        site = context.host.site
        verp, *_ = probe_addresses(site, (self.domain, self.prefix))
        mailer, host = await self.facts.way(context.run, verp)
        if not leads_to_sink(self.facts.mailers.get(mailer, {}), host, site.sink):
            where = f"goes by the mailer {mailer}" if mailer else "has no way"
            text = f"{self.domain} {where}, not to the sink: Sendmail's own reports pass milters by, and are missed"
            return fail(text, PRINT)
        if "z" not in self.facts.mailers[mailer].get("F", ""):
            return fail(f"the mailer {mailer} speaks SMTP to the LMTP sink: its flags lack z", PRINT)
        return ok(f"{self.domain} goes to the sink by the mailer {mailer}")


@dataclass(frozen=True, slots=True)
class OwnReports:
    """Without a sink nobody sees Sendmail's own reports."""

    name: str = "own reports"

    async def run(self, _context: Context) -> Finding:
        """Say so: no setting of Sendmail changes it."""
        text = "Sendmail's own reports pass milters by: on a sending host most bounces are missed"
        return fail(text, f"Enable the sink, give the return paths a domain of their own, and {PRINT}")


@dataclass(frozen=True, slots=True)
class Recipients:
    """Port 25 takes the return paths, postmaster@, abuse@ and review@, and refuses all else: no backscatter."""

    domain: str
    prefix: str
    facts: Facts
    name: str = "recipients at port 25"

    async def run(self, context: Context) -> Finding:
        """Ask the rule set check_rcpt about addresses that it must take, and about one that nobody has."""
        site = context.host.site
        for address in probe_addresses(site, (self.domain, self.prefix)):
            if await self.facts.refuses(context.run, address):
                return fail(f"check_rcpt refuses {address}", PRINT)
        if not await self.facts.refuses(context.run, f"doctor-{secrets.token_hex(4)}@{self.domain}"):
            text = f"check_rcpt takes any recipient @{self.domain}, and Sendmail bounces what we refuse: backscatter"
            return fail(text, PRINT)
        return ok(
            f"{self.domain} takes {self.prefix}, {self.prefix}{site.delimiters[0]}…, postmaster, abuse and review only"
        )


def leads_to_sink(equates: Mapping[str, str], host: str, sink: str) -> bool:
    """Whether a mailer, given that host, connects to the socket at which the sink listens."""
    endpoint = Endpoint.parse(sink)
    way = equates.get("A", "").split()
    if equates.get("P") != "[IPC]" or len(way) < 2:
        return False
    if way[0] == "FILE":
        return way[1] == endpoint.path
    named = host if way[1] == "$h" else way[1]
    bare = named.strip("[]").removeprefix("IPv6:").lower()
    return bare == endpoint.host and way[2:3] == [str(endpoint.port)]

"""Does Sendmail bring the return paths to the sink, refuse everything else at port 25, and ask the milter?"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bouncemilter.doctor import sendmail
from bouncemilter.doctor.check import Context, Finding, fail, ok, warn
from bouncemilter.doctor.outgoing import SIGNERS
from bouncemilter.doctor.sendmailcf import Facts
from bouncemilter.doctor.site import Site
from bouncemilter.endpoint import Endpoint
from bouncemilter.returnpath import ROLES

PRINT: Final = "bouncemilter config sendmail"
"""The command that prints the missing lines."""
_AWAY: Final = {"T": "defers all mail", "R": "refuses all mail", "4": "ends all sessions"}


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
        address = f"{self.prefix}{site.delimiters[0]}jan{site.delimiters[1]}example.org@{self.domain}"
        mailer, host = await self.facts.way(context.run, address)
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
        plus, equals = context.host.site.delimiters[0], context.host.site.delimiters[1]
        for local in (f"{self.prefix}{plus}jan{equals}example.org", self.prefix, *ROLES):
            if await self.facts.refuses(context.run, f"{local}@{self.domain}"):
                return fail(f"check_rcpt refuses {local}@{self.domain}", PRINT)
        if not await self.facts.refuses(context.run, f"doctor-{secrets.token_hex(4)}@{self.domain}"):
            text = f"check_rcpt takes any recipient @{self.domain}, and Sendmail bounces what we refuse: backscatter"
            return fail(text, PRINT)
        return ok(f"{self.domain} takes {self.prefix}, {self.prefix}{plus}…, postmaster, abuse and review only")


@dataclass(frozen=True, slots=True)
class MilterListed:
    """Every listener that is no stream's own asks the milter, and takes mail while it is away."""

    facts: Facts
    name: str = "input mail filters"

    async def run(self, context: Context) -> Finding:
        """Look for our socket among the filters."""
        ours = filters_of(self.facts, context.host.site)
        found = next((each for each in self.facts.input_filters if each in ours), None)
        if found is None:
            return fail(f"no INPUT_MAIL_FILTER leads to {context.host.site.milter}", PRINT)
        away = _AWAY.get(self.facts.filters[found].get("F", ""))
        if away:
            text = f"while the milter is away, Sendmail {away}"
            return warn(text, f"{PRINT} (no F= for an inbound milter)")
        return ok("INPUT_MAIL_FILTER shows mail to the milter; while it is away mail is accepted")


@dataclass(frozen=True, slots=True)
class BeforeSigner:
    """Where mail of a stream comes in, our milter stands before the one that signs."""

    facts: Facts
    name: str = "order of milters"

    async def run(self, context: Context) -> Finding:
        """Look through the filters of the listeners that streams name."""
        site = context.host.site
        names = list(dict.fromkeys(name for each in site.owned for name in each.match.daemon_name))
        ours = filters_of(self.facts, site)
        for name in names:
            if name not in self.facts.listeners:
                return fail(f"no listener of Sendmail has the Name={name} that a stream matches", PRINT)
            asked = self.facts.listeners[name]
            first = next((place for place, each in enumerate(asked) if each in ours), None)
            if first is None:
                return fail(
                    f"the listener {name} does not ask our milter: its mail is neither signed nor refused", PRINT
                )
            before = [each for each in asked[:first] if SIGNERS.search(f"{each} {self.facts.filters.get(each, {})}")]
            if before:
                text = f"at the listener {name}, {before[0]} comes before our milter"
                return warn(text, "Our milter first, the signer behind it (InputMailFilters=ours;signer).")
        return ok(
            f"our milter comes before the signers: {', '.join(names)}" if names else "no listener is a stream's own"
        )


def filters_of(facts: Facts, site: Site) -> frozenset[str]:
    """The names of the filters that lead to our milter."""
    wanted = _place(sendmail.socket(site.milter))
    return frozenset(name for name, equates in facts.filters.items() if _place(equates.get("S", "")) == wanted)


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


def _place(socket: str) -> str:
    """A milter's socket, with `unix:` and `local:` for the same."""
    return socket.replace("unix:", "local:", 1) if socket.startswith("unix:") else socket

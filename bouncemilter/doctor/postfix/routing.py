"""Does Postfix bring the return paths to the sink, and refuse everything else at port 25?"""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass
from typing import Final

from bouncemilter.doctor.check import Context, Finding, fail, ok, warn
from bouncemilter.doctor.postfix.postconf import Facts, Service, split_list
from bouncemilter.mta.postfix.sockets import TRANSPORT
from bouncemilter.mta.site import Site, probe_addresses

PRINT: Final = "bouncemilter config postfix"
"""The command that prints the missing lines: the remedy of most findings here."""
FOREIGN_CLASSES: Final = ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains")
"""The domain lists that win over relay_domains (ADDRESS_CLASS_README)."""


@dataclass(frozen=True, slots=True)
class DomainClass:
    """A return-path domain is a relay domain, and nothing else."""

    domain: str
    facts: Facts
    name: str = "domain class"

    async def run(self, context: Context) -> Finding:
        """Look for the domain in Postfix's lists of domains."""
        for parameter in FOREIGN_CLASSES:
            if await self.facts.lists(context.run, parameter, self.domain):
                remedy = f"Take it out of {parameter}: its mail, and a refusal of its recipients, go by relay_domains."
                return fail(f"{self.domain} stands in {parameter}", remedy)
        if not await self.facts.lists(context.run, "relay_domains", self.domain):
            return fail(f"{self.domain} is missing in relay_domains: port 25 refuses its bounces", PRINT)
        return ok(f"{self.domain} is a relay domain")


@dataclass(frozen=True, slots=True)
class Route:
    """Mail to a return path goes to our sink, and says where it was made."""

    domain: str
    prefix: str
    facts: Facts
    name: str = "route to the sink"

    async def run(self, context: Context) -> Finding:
        """Follow the transport tables, the service in master.cf and the path of its socket."""
        site = context.host.site
        verp, bare, *_ = probe_addresses(site, (self.domain, self.prefix))
        keys = (verp, bare, self.domain, *_parents(self.domain))
        found = await self.facts.lookup(context.run, "transport_maps", keys)
        name, _, hop = found.partition(":")
        if not found or not name:
            return fail(f"no line in transport_maps for {self.domain}", PRINT)
        service = self.facts.service(name)
        if service is None or service.command not in ("lmtp", "smtp"):
            return fail(f"transport {name} is no LMTP or SMTP service of master.cf", PRINT)
        if not leads_to_sink(hop, service, self.facts, site):
            return fail(f"{self.domain} goes to {found}, the sink listens at {site.sink}", PRINT)
        return self._quality(service)

    def _quality(self, service: Service) -> Finding:
        wanted = f"{service.command}_send_xforward_command"
        if self.facts.value(wanted, service) != "yes":
            text = f"{wanted} is not set for {service.name}: the sink can't tell this host's own reports from others"
            return warn(text, PRINT)
        limit = self.facts.value(f"{service.name}_destination_recipient_limit")
        if service.name == TRANSPORT and limit != "1":
            return warn(f"{service.name}_destination_recipient_limit is {limit or 'unset'}, not 1", PRINT)
        return ok(f"{self.domain} goes to the sink by {service.name}")


@dataclass(frozen=True, slots=True)
class OwnReports:
    """The sink knows this Postfix's own reports by the name in their Received header."""

    facts: Facts
    name: str = "own reports"

    async def run(self, context: Context) -> Finding:
        """Compare myhostname."""
        found, names = self.facts.value("myhostname"), context.host.mta_names
        if found.lower() not in (name.lower() for name in names):
            text = f"Postfix calls itself {found}, the sink knows {', '.join(names)}: its own bounces are trusted less"
            return warn(text, f'[sink] mta_names = ["{found}"] in bouncemilter.toml')
        return ok(f"the sink knows the reports of {found}")


@dataclass(frozen=True, slots=True)
class Recipients:
    """Port 25 takes the return paths, postmaster@, abuse@ and review@, and refuses all else: no backscatter."""

    domain: str
    prefix: str
    facts: Facts
    name: str = "recipients at port 25"

    async def run(self, context: Context) -> Finding:
        """Ask relay_recipient_maps for addresses that it must know, and for one that nobody has."""
        if not self.facts.value("relay_recipient_maps"):
            text = f"relay_recipient_maps is empty: Postfix takes everything@{self.domain} and bounces what we refuse"
            return fail(text, PRINT)
        site = context.host.site
        for address in probe_addresses(site, (self.domain, self.prefix)):
            if not await self._known(context, address):
                return fail(f"relay_recipient_maps refuses {address}", PRINT)
        if await self._known(context, f"doctor-{secrets.token_hex(4)}@{self.domain}"):
            return fail(f"relay_recipient_maps takes any recipient @{self.domain}: backscatter", PRINT)
        return ok(
            f"{self.domain} takes {self.prefix}, {self.prefix}{site.delimiters[0]}…, postmaster, abuse and review only"
        )

    async def _known(self, context: Context, address: str) -> bool:
        keys = (address, f"@{self.domain}")
        return bool(await self.facts.lookup(context.run, "relay_recipient_maps", keys))


@dataclass(frozen=True, slots=True)
class Greylisting:
    """No policy service sees mail to the return paths before the line that lets it pass."""

    domain: str
    prefix: str
    facts: Facts
    name: str = "greylisting"

    async def run(self, context: Context) -> Finding:
        """Read smtpd_recipient_restrictions from left to right, as smtpd does, up to the first OK for a return path."""
        keys = (f"{self.prefix}@{self.domain}", self.domain)
        items = split_list(self.facts.value("smtpd_recipient_restrictions"))
        for item, argument in itertools.pairwise([*items, ""]):
            if item == "check_policy_service":
                text = (
                    f"check_policy_service {argument} may greylist mail to {self.domain}: many bounces never come back"
                )
                return warn(text, PRINT)
            if item == "check_recipient_access":
                answer = await self.facts.ask(context.run, (argument,), keys)
                if answer.partition(" ")[0].lower() in ("ok", "permit"):
                    return ok(f"{self.domain} passes before any policy service")
        return ok("no policy service is asked")


@dataclass(frozen=True, slots=True)
class VerpDelimiters:
    """Postfix writes VERP as we read it."""

    facts: Facts
    name: str = "VERP delimiters"

    async def run(self, context: Context) -> Finding:
        """Compare default_verp_delimiters."""
        found, wanted = self.facts.value("default_verp_delimiters"), context.host.site.delimiters
        if found != wanted:
            return warn(f"default_verp_delimiters is {found}, the configuration says {wanted}", PRINT)
        return ok(f"default_verp_delimiters is {wanted}")


def leads_to_sink(hop: str, service: Service, facts: Facts, site: Site) -> bool:
    """Whether the next hop of a transport line is the socket at which the sink listens."""
    kind, _, rest = site.sink.partition(":")
    if kind == "unix":
        return hop.startswith("unix:") and str(facts.path(hop.removeprefix("unix:"), service)) == rest
    return _bare(hop.removeprefix("inet:")) == _bare(rest)


def _bare(endpoint: str) -> str:
    """`[127.0.0.1]:2424`, `[ipv6:::1]:2424` without what only marks the form."""
    return endpoint.replace("[", "").replace("]", "").replace("ipv6:", "")


def _parents(domain: str) -> tuple[str, ...]:
    """`.example.com`, `.com`: the keys of transport(5) for subdomains."""
    labels = domain.split(".")
    return tuple("." + ".".join(labels[start:]) for start in range(1, len(labels)))

"""Does Postfix show its mail to the milter, and what if the milter is away?"""

from __future__ import annotations

from dataclasses import dataclass

from bouncemilter.doctor.check import Context, Finding, fail, ok, warn
from bouncemilter.doctor.postfix.postconf import Facts, Service, split_list
from bouncemilter.doctor.postfix.routing import PRINT
from bouncemilter.mta.site import Site


@dataclass(frozen=True, slots=True)
class MilterListed:
    """The milter stands in a list of milters, by a path that a service under chroot can follow."""

    facts: Facts
    parameter: str
    """`smtpd_milters`, read by smtpd; `non_smtpd_milters`, read by cleanup."""

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.parameter

    async def run(self, context: Context) -> Finding:
        """Compare the endpoints, and the default action that holds for ours."""
        command = "smtpd" if self.parameter == "smtpd_milters" else "cleanup"
        services = self.facts.running(command)
        items = [(service, item) for service in services for item in self._items(service)]
        ours = [item for service, item in items if leads_to_milter(item[0], service, self.facts, context.host.site)]
        if not ours:
            named = [item[0] for service, item in items if service.chrooted and item[0].startswith("unix:")]
            hint = f" ({command} runs under chroot and sees {', '.join(dict.fromkeys(named))})" if named else ""
            return fail(f"the milter {context.host.site.milter} is not in {self.parameter}{hint}", PRINT)
        actions = {item[1] or self.facts.value("milter_default_action") for item in ours}
        if actions != {"accept"}:
            text = f"while the milter is away, {self.parameter} does: {', '.join(sorted(actions))}"
            return warn(text, f"{PRINT} (default_action=accept for an inbound milter)")
        return ok(f"{self.parameter} shows mail to the milter, and accepts it while the milter is away")

    def _items(self, service: Service) -> list[tuple[str, str]]:
        """(endpoint, own default action or an empty string) of each milter that a service asks."""
        return endpoints(self.facts.value(self.parameter, service))


@dataclass(frozen=True, slots=True)
class OwnBounces:
    """Postfix shows its own bounces to milters: on a sending host these are most of them."""

    facts: Facts
    name: str = "own bounces to the milter"

    async def run(self, context: Context) -> Finding:
        """Look for `bounce` among the internal mail classes."""
        if "bounce" in split_list(self.facts.value("internal_mail_filter_classes")):
            return ok("internal_mail_filter_classes holds bounce")
        if context.host.site.sink:
            return ok("Postfix's own bounces pass the milter by; those to return paths reach the sink")
        return fail("internal_mail_filter_classes lacks bounce: this Postfix's own bounces are missed", PRINT)


@dataclass(frozen=True, slots=True)
class Delimiter:
    """Without a sink the return path is an ordinary address: what stands behind the plus sign must be taken off."""

    facts: Facts
    name: str = "recipient delimiter"

    async def run(self, context: Context) -> Finding:
        """Compare recipient_delimiter."""
        found, wanted = self.facts.value("recipient_delimiter"), context.host.site.delimiters[0]
        if wanted not in found:
            return fail(f"recipient_delimiter is {found or 'empty'}: Postfix refuses PREFIX{wanted}…", PRINT)
        return ok(f"recipient_delimiter is {found}")


def leads_to_milter(endpoint: str, service: Service, facts: Facts, site: Site) -> bool:
    """Whether an item of a milter list is the socket at which our milter listens."""
    kind, _, rest = site.milter.partition(":")
    found, _, name = endpoint.partition(":")
    if found != kind:
        return False
    return str(facts.path(name, service)) == rest if kind == "unix" else name == rest


def endpoints(value: str) -> list[tuple[str, str]]:
    """(endpoint, own default action or an empty string) of each milter in a list of milters."""
    return [_milter(item) for item in split_list(value)]


def _milter(item: str) -> tuple[str, str]:
    parts = split_list(item.strip("{} \t")) if item.startswith("{") else [item]
    actions = [each.partition("=")[2].strip() for each in parts[1:] if each.startswith("default_action")]
    return parts[0], actions[-1] if actions else ""

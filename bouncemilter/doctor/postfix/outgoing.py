"""What Postfix does to mail that leaves: does the return path survive, is it signed in order, do bounces come here?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bouncemilter.doctor.check import Context, Finding, fail, ok, warn
from bouncemilter.doctor.postfix.milters import endpoints, leads_to_milter
from bouncemilter.doctor.postfix.postconf import Facts, Service, split_list
from bouncemilter.doctor.postfix.routing import PRINT
from bouncemilter.doctor.signers import SIGNERS
from bouncemilter.stream import Stream


@dataclass(frozen=True, slots=True)
class Masquerading:
    """The envelope sender keeps its domain (ADDRESS_REWRITING_README, masquerade_domains)."""

    domain: str
    facts: Facts
    name: str = "masquerading"

    async def run(self, _context: Context) -> Finding:
        """Read masquerade_domains from left to right, as cleanup does."""
        into = masqueraded(self.domain, split_list(self.facts.value("masquerade_domains")))
        classes = split_list(self.facts.value("masquerade_classes"))
        if into and "envelope_sender" in classes:
            text = f"masquerade_domains turns …@{self.domain} into …@{into}: no bounce comes back to the return path"
            remedy = (
                f"masquerade_domains = !{self.domain}, then what it has; or masquerade_classes without envelope_sender"
            )
            return fail(text, remedy)
        return ok(f"masquerade_domains leaves {self.domain} alone")


@dataclass(frozen=True, slots=True)
class RelayHost:
    """This Postfix delivers by itself, so that refusals become its own reports."""

    facts: Facts
    name: str = "relayhost"

    async def run(self, _context: Context) -> Finding:
        """Look whether all mail goes to another host."""
        relay = self.facts.value("relayhost")
        if relay:
            text = f"all mail leaves by {relay}: bounces come from there, by way of the MX, and are trusted less"
            return warn(text, "Name that host in the SPF record of the return path, and see that it knows the MX.")
        return ok("mail leaves without a relayhost")


@dataclass(frozen=True, slots=True)
class BeforeSigner:
    """Where mail of a stream comes in, our milter stands before the one that signs.

    Postfix asks milters in their order, and each one sees what those before it changed, but for the sender.
    """

    facts: Facts
    name: str = "order of milters"

    async def run(self, context: Context) -> Finding:
        """Look through the lists of milters that outgoing mail passes."""
        lists = tuple(self._lists(context.host.site.owned))
        if not lists:
            return ok("no service of Postfix is a stream's own")
        for where, service, value in lists:
            names = [endpoint for endpoint, _ in endpoints(value)]
            ours = [leads_to_milter(each, service, self.facts, context.host.site) for each in names]
            if True not in ours:
                return fail(f"{where} does not ask our milter: its mail is neither signed nor refused", PRINT)
            before = [each for each in names[: ours.index(True)] if SIGNERS.search(each)]
            if before:
                remedy = "Our milter first, the signer behind it: else the signer stands for headers that we change."
                return warn(f"in {where}, {before[0]} comes before our milter", remedy)
        return ok(f"our milter comes before the signers: {', '.join(where for where, _, _ in lists)}")

    def _lists(self, wanted: Sequence[Stream]) -> Iterator[tuple[str, Service, str]]:
        """(name, service, value) of each list of milters that a stream's mail passes, as far as Postfix shows it."""
        names = {name for each in wanted for name in each.match.daemon_name}
        for service in self.facts.running("smtpd"):
            if self.facts.value("milter_macro_daemon_name", service) in names:
                yield f"service {service.name}", service, self.facts.value("smtpd_milters", service)
        if any(each.match.local_user for each in wanted):
            for service in self.facts.running("cleanup"):
                yield "non_smtpd_milters", service, self.facts.value("non_smtpd_milters", service)


def masqueraded(domain: str, masquerade_domains: Iterable[str]) -> str:
    """The domain that cleanup makes of `domain`; empty where it stays as it is."""
    for each in masquerade_domains:
        parent, excepted = each.lstrip("!").lower(), each.startswith("!")
        if domain.lower() == parent or domain.lower().endswith(f".{parent}"):
            return "" if excepted or domain.lower() == parent else parent
    return ""

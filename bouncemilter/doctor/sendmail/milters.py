"""Does Sendmail show its mail to the milter, what if the milter is away, and in which order are milters asked?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bouncemilter.doctor.check import Context, Finding, fail, ok, warn
from bouncemilter.doctor.sendmail.routing import PRINT
from bouncemilter.doctor.sendmail.sendmailcf import Facts
from bouncemilter.doctor.signers import SIGNERS
from bouncemilter.mta.sendmail import definitions
from bouncemilter.mta.site import Site

_AWAY: Final = {"T": "defers all mail", "R": "refuses all mail", "4": "ends all sessions"}


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
    wanted = _place(definitions.socket(site.milter))
    return frozenset(name for name, equates in facts.filters.items() if _place(equates.get("S", "")) == wanted)


def _place(socket: str) -> str:
    """A milter's socket, with `unix:` and `local:` for the same."""
    return socket.replace("unix:", "local:", 1) if socket.startswith("unix:") else socket

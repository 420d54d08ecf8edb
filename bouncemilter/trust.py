"""How much a report is worth: the tier of evidence that it is about mail of ours (FAULTS: trust).

Return paths are not signed yet, so the strongest evidence from outside is `plausible`: anybody who knows an address
can write a VERP return path, a From and a Message-ID.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from bouncemilter import address
from bouncemilter.model import Envelope, Front, Report, Source, Trust

# The Received header that Postfix's bounce(8) makes: `by mx.example.pl (Postfix) id …`. Mail from outside has `from`,
# mail of a local program has `(Postfix, from userid 1000)`.
_OWN_RECEIVED = re.compile(r"by\s+(?P<name>[^\s;()]+)\s+\((?P<comment>[^()]*)\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What trust is judged by: the site's own names."""

    own_domains: frozenset[str] = frozenset()
    """Domains (A-labels) of our own From and Message-ID headers; subdomains belong to them."""
    mta_names: frozenset[str] = frozenset()
    """The names, in lower case, that our own MTA writes into its Received headers (Postfix's myhostname)."""
    trust_local_users: bool = False
    """Whether a null-sender mail of the milter's non_smtpd path may be taken for our MTA's report."""

    def owns(self, domain: str) -> bool:
        """Whether `domain` is one of ours, or below one."""
        labels = address.domain_key(domain).split(".")
        return any(".".join(labels[start:]) in self.own_domains for start in range(len(labels)))


class Assessment(NamedTuple):
    """A tier, and a constant word for why."""

    trust: Trust
    reason: str


def assess(envelope: Envelope, report: Report, verp_recipient: str, evidence: Evidence) -> Assessment:
    """The tier of a report that came in `envelope`; `verp_recipient` is whom its return path names, or empty."""
    if envelope.sender == "" and envelope.source is Source.LOCAL:
        if envelope.front is Front.SINK and _made_by_own_mta(report.top_received, evidence.mta_names):
            return Assessment(Trust.LOCAL, "own_mta")
        if envelope.front is Front.MILTER and evidence.trust_local_users:
            return Assessment(Trust.LOCAL, "local_users_trusted")
    if verp_recipient:
        return Assessment(Trust.PLAUSIBLE, "verp")
    returned = report.returned
    if returned and _ours(returned.sender, evidence) and _ours(returned.message_id.strip("<>"), evidence):
        return Assessment(Trust.PLAUSIBLE, "own_headers")
    return Assessment(Trust.NONE, "no_evidence")


def _made_by_own_mta(received: str, names: frozenset[str]) -> bool:
    """Whether the topmost Received header is that of our own MTA's bounce process."""
    found = _OWN_RECEIVED.match(received.strip())
    return found is not None and found["name"].lower() in names and "userid" not in found["comment"].lower()


def _ours(text: str, evidence: Evidence) -> bool:
    """Whether the domain behind the last @ of an address or a Message-ID is one of ours, or below one."""
    _, at, domain = text.rpartition("@")
    return bool(at) and evidence.owns(domain)

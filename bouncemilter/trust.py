"""How much a report is worth: the tier of evidence that it is about mail of ours.

Anybody who knows an address can write a VERP return path, a From and a Message-ID: where return paths are not signed,
these are all there is, and make a report `plausible`. Where they are, only the signature counts, in the envelope
recipient or in what came back of the message, which the recipient's side alone has seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from bouncemilter import address, dkim
from bouncemilter.model import Envelope, Front, Report, Source, Trust
from bouncemilter.returnpath import Form, Reason, Recognizer, SignedPath, Verified, Verifier

# The Received header that Postfix's bounce(8) makes: `by mx.example.pl (Postfix) id …`. Mail from outside has `from`,
# mail of a local program has `(Postfix, from userid 1000)`.
_OWN_RECEIVED = re.compile(r"by\s+(?P<name>[^\s;()]+)\s+\((?P<comment>[^()]*)\)", re.IGNORECASE)

DKIM: Final = "dkim"
"""The reason where our DKIM signature of the returned headers is the evidence."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What trust is judged by: the site's own names."""

    own_domains: frozenset[str] = frozenset()
    """Domains (A-labels) of our own From and Message-ID headers; subdomains belong to them."""
    mta_names: frozenset[str] = frozenset()
    """The names, in lower case, that our own MTA writes into its Received headers (Postfix's myhostname)."""
    signed_domains: frozenset[str] = frozenset()
    """Those of the From domains whose mail leaves with a signed return path."""
    trust_local_users: bool = False
    """Whether a null-sender mail of the milter's non_smtpd path may be taken for our MTA's report."""

    def owns(self, domain: str) -> bool:
        """Whether `domain` is one of ours, or below one."""
        return _within(domain, self.own_domains)

    def signs(self, sender: str) -> bool:
        """Whether mail from this address carries a signed return path."""
        return _within(sender.rpartition("@")[2], self.signed_domains)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the return path of a message says, and how far it can be believed."""

    verp: str = ""
    """Whom an unsigned VERP return path names."""
    token: Verified | None = None
    """The valid signature, of the envelope recipient or of the returned message."""
    in_returned: bool = False
    """The signature stood in the returned message's own headers."""
    refused: Reason | None = None
    """Why a message to a signed return path has no valid signature; None where the path is not signed."""
    dkim: dkim.Signed | None = None
    """Where there is no token: our DKIM signature of the returned headers."""

    @property
    def recipient(self) -> str:
        """Whom we wrote to, by our own record; empty where it does not say, or says it by hash only."""
        return self.token.recipient if self.token else self.verp

    def vouches_for(self, key: str) -> bool:
        """Whether our DKIM signature says that the message was written to the address with this key."""
        return self.dkim is not None and key in self.dkim.recipients


class Prover:
    """Looks for the signature of a message, at the time of its event."""

    def __init__(
        self,
        recognizer: Recognizer,
        signed: Iterable[SignedPath] = (),
        keys: Iterable[dkim.Key] = (),
        *,
        fold: bool = True,
    ) -> None:
        """`signed`: the return paths that have keys; `keys`: those of DKIM. `fold`: the setting fold_local_part."""
        paths = tuple(signed)
        self.recognizer = recognizer
        self._signatures = dkim.Verifier(keys, fold_local_part=fold)
        self._verifier = Verifier(paths, fold_local_part=fold)
        self._signed = frozenset(each.path for each in paths)

    def proof(self, envelope: Envelope, recipient: str, report: Report) -> Proof:
        """What the return path `recipient` of a message says."""
        verp = self.recognizer.verp_recipient(recipient)
        if not self._signed:
            return Proof(verp, dkim=self._dkim(envelope, report))
        found = self._verifier.verify(recipient, at=envelope.proved_at)
        if isinstance(found, Verified):
            return Proof(verp, found)
        inner = report.returned.return_path if report.returned else ""
        if inner:
            returned = self._verifier.verify(inner, at=envelope.proved_at)
            if isinstance(returned, Verified):
                return Proof(verp, returned, in_returned=True)
        path = self.recognizer.path(recipient)
        refused = found.reason if path in self._signed else None
        return Proof(verp, refused=refused, dkim=self._dkim(envelope, report))

    def _dkim(self, envelope: Envelope, report: Report) -> dkim.Signed | None:
        headers = report.returned.signed_headers if report.returned else b""
        return self._signatures.verify(headers, envelope.proved_at)


class Assessment(NamedTuple):
    """A tier, and a constant word for why."""

    trust: Trust
    reason: str


def assess(envelope: Envelope, report: Report, proof: Proof, evidence: Evidence, about: str = "") -> Assessment:
    """The tier of a report that came in `envelope`, whose return path says `proof`, for the address key `about`."""
    if found := _signed(proof):
        return found
    if unsigned := _unsigned_where_signed(report, proof, evidence):
        return _dkim(proof, about) or unsigned
    found = _local(envelope, report, evidence) or _dkim(proof, about) or _plausible(report, proof, evidence)
    return found or Assessment(Trust.NONE, "no_evidence")


def _signed(proof: Proof) -> Assessment | None:
    if proof.token is None:
        return None
    where = "token_returned" if proof.in_returned else "token"
    if proof.token.form is Form.MESSAGE:
        return Assessment(Trust.PLAUSIBLE, f"message_{where}")
    return Assessment(Trust.TOKEN, where)


def _dkim(proof: Proof, about: str) -> Assessment | None:
    """Whoever has a signed copy could have made this, but about himself alone."""
    return Assessment(Trust.PLAUSIBLE, DKIM) if proof.vouches_for(about) else None


def _unsigned_where_signed(report: Report, proof: Proof, evidence: Evidence) -> Assessment | None:
    """What our own mail would have had is missing: whoever made this, from our own MTA too, may have made it up."""
    if proof.refused:
        return Assessment(Trust.NONE, proof.refused)
    if report.returned and evidence.signs(report.returned.sender):
        return Assessment(Trust.NONE, Reason.UNSIGNED)
    return None


def _local(envelope: Envelope, report: Report, evidence: Evidence) -> Assessment | None:
    if envelope.sender or envelope.source is not Source.LOCAL:
        return None
    if envelope.front is Front.SINK and _made_by_own_mta(report.top_received, evidence.mta_names):
        return Assessment(Trust.LOCAL, "own_mta")
    if envelope.front is Front.MILTER and evidence.trust_local_users:
        return Assessment(Trust.LOCAL, "local_users_trusted")
    return None


def _plausible(report: Report, proof: Proof, evidence: Evidence) -> Assessment | None:
    if proof.verp:
        return Assessment(Trust.PLAUSIBLE, "verp")
    returned = report.returned
    if returned and _ours(returned.sender, evidence) and _ours(returned.message_id.strip("<>"), evidence):
        return Assessment(Trust.PLAUSIBLE, "own_headers")
    return None


def _within(domain: str, domains: frozenset[str]) -> bool:
    labels = address.domain_key(domain).split(".")
    return any(".".join(labels[start:]) in domains for start in range(len(labels)))


def _made_by_own_mta(received: str, names: frozenset[str]) -> bool:
    """Whether the topmost Received header is that of our own MTA's bounce process."""
    found = _OWN_RECEIVED.match(received.strip())
    return found is not None and found["name"].lower() in names and "userid" not in found["comment"].lower()


def _ours(text: str, evidence: Evidence) -> bool:
    """Whether the domain behind the last @ of an address or a Message-ID is one of ours, or below one."""
    _, at, domain = text.rpartition("@")
    return bool(at) and evidence.owns(domain)

"""One address, judged by all that is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from bouncemilter import address, text
from bouncemilter.validation.mailhost import MailHostStatus
from bouncemilter.validation.reason import Reason, Validity, verdict
from bouncemilter.validation.risk import domain_risks, local_part_risks
from bouncemilter.validation.syntax import domain_faults, local_part_faults
from bouncemilter.validation.typo import Odds, Suggestion, suggestion

_SAID: Final = {
    MailHostStatus.NOT_FOUND: Reason.DOMAIN_NOT_FOUND,
    MailHostStatus.NULL_MX: Reason.NULL_MX,
    MailHostStatus.NO_SERVER: Reason.NO_MAIL_SERVER,
    MailHostStatus.IMPLICIT: Reason.NO_MX,
    MailHostStatus.UNANSWERED: Reason.NOT_CHECKED,
}
_DEAD: Final = (MailHostStatus.NOT_FOUND, MailHostStatus.NULL_MX, MailHostStatus.NO_SERVER)


_ENOUGH: Final[dict[MailHostStatus | None, Odds]] = {
    **dict.fromkeys(_DEAD, Odds.FAIR),
    MailHostStatus.MX: Odds.SURE,
    MailHostStatus.IMPLICIT: Odds.SURE,
}
"""How likely a typing error must be to be told of; what is known of no domain is between these."""


@dataclass(frozen=True, slots=True)
class Result:
    """What is said of one address."""

    address: str
    """As written."""
    verdict: Validity
    reasons: tuple[Reason, ...] = ()
    suggestion: str = ""
    """The address that may be meant."""


@dataclass(frozen=True, slots=True)
class _Domain:
    """What is known of a domain without DNS."""

    faults: tuple[Reason, ...]
    likely: Suggestion | None
    risks: tuple[Reason, ...]


class Checker:
    """Judges addresses one after the other, and remembers them: the second time is a duplicate."""

    def __init__(
        self,
        *,
        known: AbstractSet[str] = frozenset(),
        disposable: frozenset[str] = frozenset(),
        fold_local_part: bool = True,
    ) -> None:
        """`known`: domains that are no typing errors. `disposable`: domains of throw-away mailboxes."""
        self._known = frozenset(known)
        self._disposable = disposable
        self._fold = fold_local_part
        self._seen: set[str] = set()
        self._domains: dict[str, _Domain] = {}

    def domain(self, written: str) -> str:
        """The domain that DNS is to be asked for; empty where it can't be one."""
        found = address.split(written)
        if found is None:
            return ""
        name = address.domain_key(found.domain)
        return "" if self._domain(name).faults else name

    def check(self, written: str, said: Mapping[str, MailHostStatus]) -> Result:
        """Judge an address. `said`: what DNS says of the domains; empty where it was not asked."""
        found = address.split(written)
        key = address.key(found, fold_local_part=self._fold) if found else ""
        if found is None or not key:
            return Result(written, Validity.INVALID, (Reason.SYNTAX,), _seen(written))
        local, _, name = key.rpartition("@")
        domain, finding = self._domain(name), said.get(name)
        reasons = [*local_part_faults(found.local, name), *domain.faults]
        if finding in _SAID:
            reasons.append(_SAID[finding])
        likely = domain.likely
        meant = likely.domain if likely and likely.odds >= _ENOUGH.get(finding, Odds.GOOD) else ""
        if meant:
            reasons.append(Reason.TYPO)
        reasons += domain.risks
        reasons += local_part_risks(local.lower())
        if key in self._seen:
            reasons.append(Reason.DUPLICATE)
        self._seen.add(key)
        told = tuple(dict.fromkeys(reasons))
        return Result(written, verdict(told), told, f"{found.local}@{meant}" if meant else "")

    def forget(self, written: str) -> None:
        """As if an address had not stood in the list: the next time it is no duplicate."""
        self._seen.discard(address.key(written, fold_local_part=self._fold))

    def _domain(self, name: str) -> _Domain:
        """What is known of a domain without DNS; looked at once."""
        known = self._domains.get(name)
        if known is None:
            faults = domain_faults(name)
            likely = None if Reason.DOMAIN_LITERAL in faults else suggestion(name, self._known)
            known = self._domains[name] = _Domain(faults, likely, tuple(domain_risks(name, self._disposable)))
        return known


def _seen(written: str) -> str:
    """The address that people see, where only letters that nobody sees make it none."""
    found = text.unhidden(written).strip()
    return found if found != written and address.split(found) else ""

"""Which checks of Postfix make sense on this host."""

from __future__ import annotations

from collections.abc import Iterator

from bouncemilter.doctor.check import Check, Host
from bouncemilter.doctor.postfix.milters import Delimiter, MilterListed, OwnBounces
from bouncemilter.doctor.postfix.outgoing import BeforeSigner, Masquerading, RelayHost
from bouncemilter.doctor.postfix.postconf import Facts
from bouncemilter.doctor.postfix.routing import DomainClass, Greylisting, OwnReports, Recipients, Route, VerpDelimiters
from bouncemilter.doctor.postfix.selftest import SelfTest


def checks(host: Host, facts: Facts) -> Iterator[Check]:
    """All but the self-tests, which `selftests` gives."""
    site = host.site
    if site.sink:
        for domain in site.domains:
            yield DomainClass(domain, facts)
        for domain, prefix in site.return_paths:
            yield Route(domain, prefix, facts)
            yield Recipients(domain, prefix, facts)
            yield Greylisting(domain, prefix, facts)
        if host.mta_names:
            yield OwnReports(facts)
    else:
        yield Delimiter(facts)
    if site.milter:
        yield MilterListed(facts, "smtpd_milters")
        yield MilterListed(facts, "non_smtpd_milters")
        yield OwnBounces(facts)
    if site.milter and site.streams:
        yield BeforeSigner(facts)
    yield VerpDelimiters(facts)
    for domain in site.domains:
        yield Masquerading(domain, facts)
    yield RelayHost(facts)


def selftests(host: Host, facts: Facts) -> Iterator[Check]:
    """A bounce of this Postfix to each return path."""
    return (SelfTest(*path, facts) for path in host.site.return_paths)

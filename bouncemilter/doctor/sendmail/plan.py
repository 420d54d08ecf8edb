"""Which checks of Sendmail make sense on this host."""

from __future__ import annotations

from collections.abc import Iterator

from bouncemilter.doctor.check import Check, Host
from bouncemilter.doctor.sendmail.milters import BeforeSigner, MilterListed
from bouncemilter.doctor.sendmail.routing import OwnReports, Recipients, Route
from bouncemilter.doctor.sendmail.selftest import SendmailSelfTest
from bouncemilter.doctor.sendmail.sendmailcf import Facts


def checks(host: Host, facts: Facts) -> Iterator[Check]:
    """All but the self-tests, which `selftests` gives."""
    site = host.site
    if site.sink:
        for domain, prefix in site.return_paths:
            yield Route(domain, prefix, facts)
            yield Recipients(domain, prefix, facts)
    else:
        yield OwnReports()
    if site.milter:
        yield MilterListed(facts)
    if site.milter and site.streams:
        yield BeforeSigner(facts)


def selftests(host: Host, facts: Facts) -> Iterator[Check]:
    """A bounce of this Sendmail to each return path; without a sink nobody could see it."""
    return (SendmailSelfTest(*path, facts) for path in host.site.return_paths if host.site.sink)

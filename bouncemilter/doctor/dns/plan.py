"""Which checks of DNS make sense on this host."""

from __future__ import annotations

from collections.abc import Iterator

from bouncemilter.doctor.check import Check, Host
from bouncemilter.doctor.dns.records import Dkim, Dmarc, MailExchanger, Spf


def checks(host: Host) -> Iterator[Check]:
    """Of every return path, From domain and DKIM key."""
    for domain in host.site.domains:
        yield MailExchanger(domain)
        yield Spf(domain)
    for sender, path in dict.fromkeys(host.senders):
        yield Dmarc(sender, path)
    yield from map(Dkim, host.dkim)

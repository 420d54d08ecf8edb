"""The values that `config sendmail` prints and that the doctor looks for: mailer, mailertable, sockets, patterns.

Sources: cf/README of Sendmail (mailertable, INPUT_MAIL_FILTER, Local_check_rcpt); the Sendmail Installation and
Operation Guide on mailers (M), key files (K, regex) and mail filters (X).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bouncemilter import selftest
from bouncemilter.address import domain_key
from bouncemilter.endpoint import Endpoint
from bouncemilter.mta.pattern import literal
from bouncemilter.mta.site import Site
from bouncemilter.returnpath import ROLES

MAILER: Final = "bouncemilter"
"""The mailer of our own: LMTP to the sink."""
FLAGS: Final = "DFMXhmnuz"
"""D, F, M: Date, From and Message-Id are added where Sendmail's own reports lack them; X: dots are doubled; h, u: upper
case is kept; m: many recipients; n: no UNIX From line; z: LMTP."""
TIMEOUTS: Final = "C:5s;S:10s;R:30s;E:2m"
"""Sendmail's own (C:5m;S:10s;R:10s;E:5m) let a hung milter hold every SMTP session."""


def mailer(site: Site) -> str:
    """The definition of our mailer, for MAILER_DEFINITIONS."""
    endpoint = Endpoint.parse(site.sink)
    way = f"FILE {endpoint.path}" if endpoint.path else f"TCP $h {endpoint.port}"
    return f"M{MAILER}, P=[IPC], F={FLAGS}, E=\\r\\n, L=2040, T=DNS/RFC822/SMTP, A={way}"


def routes(site: Site) -> tuple[tuple[str, str], ...]:
    """The lines of the mailertable: (domain, mailer:host). Without a sink there are none.

    The sink refuses the doctor's domain, so that Sendmail itself reports it: that is the self-test.
    """
    if not site.sink:
        return ()
    host = Endpoint.parse(site.sink).host
    where = f"[IPv6:{host}]" if ":" in host else f"[{host or '127.0.0.1'}]"
    return tuple((domain, f"{MAILER}:{where}") for domain in (*site.domains, selftest.DOMAIN))


def socket(address: str) -> str:
    """A milter's socket as Sendmail names it: `local:/path`, `inet:PORT@HOST`, `inet6:PORT@HOST`."""
    endpoint = Endpoint.parse(address)
    if endpoint.path:
        return f"local:{endpoint.path}"
    return f"{'inet6' if ':' in endpoint.host else 'inet'}:{endpoint.port}@{endpoint.host}"


def recipient_pattern(site: Site) -> str:
    """The recipients that the sink takes, as a pattern for a regex map; upper case does not matter there.

    A dollar sign is doubled, as in all of sendmail.cf.
    """
    return f"^<?({'|'.join(_recipients(site))})\\.?>?$$"


def domain_pattern(site: Site) -> str:
    """All addresses of the return-path domains."""
    return f"@({'|'.join(map(literal, site.domains))})\\.?>?$$"


def _recipients(site: Site) -> Iterator[str]:
    for domain, prefix in site.return_paths:
        yield f"{literal(prefix)}({literal(site.delimiters[0])}[^@]*)?@{literal(domain_key(domain))}"
    yield f"({'|'.join(ROLES)})@({'|'.join(map(literal, site.domains))})"

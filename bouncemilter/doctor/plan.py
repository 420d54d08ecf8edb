"""Which checks make sense on this host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bouncemilter.doctor import command, postconf
from bouncemilter.doctor.check import Check, Context, Finding, Host, Seen, warn
from bouncemilter.doctor.command import Run
from bouncemilter.doctor.metrics import Metrics
from bouncemilter.doctor.milters import Delimiter, MilterListed, OwnBounces
from bouncemilter.doctor.passed import PassedMaildir
from bouncemilter.doctor.postconf import Facts
from bouncemilter.doctor.routing import DomainClass, Greylisting, OwnReports, Recipients, Route, VerpDelimiters
from bouncemilter.doctor.runner import Row, examine
from bouncemilter.doctor.selftest import SelfTest
from bouncemilter.doctor.sockets import SocketAccepts, SocketPermissions


@dataclass(frozen=True, slots=True)
class NoPostfix:
    """Stands for the checks of Postfix where there is none."""

    name: str = "Postfix"

    async def run(self, _context: Context) -> Finding:
        """Say so."""
        text = "no Postfix configuration is found: routing is not checked"
        return warn(text, "With another mail server, see that it brings the return paths to the sockets above.")


async def examine_host(
    host: Host, seen: Seen | None, *, run: Run = command.run, config_directory: str = ""
) -> tuple[Row, ...]:
    """Examine this host. `config_directory`: Postfix's, where it is not the default one. Takes up to a minute."""
    postfix = await postconf.read(run, config_directory)
    return await examine(checks(host, postfix), Context(host, run, seen))


def checks(host: Host, postfix: Facts | None) -> Iterator[Check]:
    """The checks for this host, from the daemon outward; the self-test last, as the others explain its failure."""
    owner = (postfix.value("mail_owner") or "postfix") if postfix else ""
    for name, address in (("sink", host.view.sink), ("milter", host.view.milter)):
        if address:
            yield SocketAccepts(f"{name} socket", address)
        if address.startswith("unix:"):
            yield SocketPermissions(f"{name} socket's permissions", Path(address.removeprefix("unix:")), owner)
    if host.metrics:
        yield Metrics(host.metrics)
    if host.passed is not None:
        yield PassedMaildir(host.passed)
    if postfix is None:
        yield NoPostfix()
    else:
        yield from _postfix_checks(host, postfix)


def _postfix_checks(host: Host, facts: Facts) -> Iterator[Check]:
    view = host.view
    if view.sink:
        for domain in view.domains:
            yield DomainClass(domain, facts)
        for domain, prefix in view.return_paths:
            yield Route(domain, prefix, facts)
            yield Recipients(domain, prefix, facts)
            yield Greylisting(domain, prefix, facts)
        if host.mta_names:
            yield OwnReports(facts)
    else:
        yield Delimiter(facts)
    if view.milter:
        yield MilterListed(facts, "smtpd_milters")
        yield MilterListed(facts, "non_smtpd_milters")
        yield OwnBounces(facts)
    yield VerpDelimiters(facts)
    for domain, prefix in view.return_paths:
        yield SelfTest(domain, prefix, facts)

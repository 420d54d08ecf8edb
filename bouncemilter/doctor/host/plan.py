"""Which checks of our own side make sense on this host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bouncemilter.doctor.check import Check, Host
from bouncemilter.doctor.host.metrics import Metrics
from bouncemilter.doctor.host.passed import PassedMaildir
from bouncemilter.doctor.host.sockets import SocketAccepts, SocketPermissions


def checks(host: Host, owner: str) -> Iterator[Check]:
    """All of them. `owner`: Postfix's `mail_owner`, who must reach the sockets; empty where there is no Postfix."""
    for name, address in (("sink", host.site.sink), ("milter", host.site.milter)):
        if address:
            yield SocketAccepts(f"{name} socket", address)
        if address.startswith("unix:"):
            yield SocketPermissions(f"{name} socket's permissions", Path(address.removeprefix("unix:")), owner)
    if host.metrics:
        yield Metrics(host.metrics)
    if host.passed is not None:
        yield PassedMaildir(host.passed)

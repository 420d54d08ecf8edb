"""The sockets: two at one place, mail in a circle, missing folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bouncemilter.endpoint import Endpoint
from bouncemilter.settings.checks.found import Found
from bouncemilter.settings.types import Settings


def opened(settings: Settings) -> Iterator[tuple[str, Endpoint]]:
    """Key and endpoint of every socket that will be opened."""
    if settings.sink.enabled:
        for index, listener in enumerate(settings.sink.listener):
            yield f"sink.listener[{index}].address", Endpoint.parse(listener.address)
    if settings.milter.enabled:
        yield "milter.socket", Endpoint.parse(settings.milter.socket)
    if settings.access.enabled:
        yield "access.address", Endpoint.parse(settings.access.address)
    if settings.web.enabled:
        yield "web.address", Endpoint.parse(settings.web.address)


def faults(settings: Settings) -> Found:
    """Sockets that clash, a sink without any, and one that forwards to itself."""
    yield from _shared(settings)
    yield from _forwarding_loop(settings)
    if settings.sink.enabled and not settings.sink.listener:
        yield "sink.listener", "the sink is enabled, but has no listener"


def unusable(settings: Settings) -> Found:
    """Unix sockets in folders that are not there."""
    for key, endpoint in opened(settings):
        folder = Path(endpoint.path).parent
        if endpoint.path and not folder.is_dir():
            yield key, f"no such folder: {folder}"


def warnings(settings: Settings) -> Found:
    """A page that others can read."""
    if settings.web.enabled and not Endpoint.parse(settings.web.address).is_local:
        yield "web.address", "not a loopback address: anybody who reaches it can read the figures"


def _shared(settings: Settings) -> Found:
    users: list[tuple[str, Endpoint]] = []
    for key, endpoint in opened(settings):
        first = next((before for before, taken in users if endpoint.clashes_with(taken)), "")
        if first:
            yield key, f"{endpoint if endpoint.path else f'port {endpoint.port}'} is already taken by {first}"
        users.append((key, endpoint))


def _forwarding_loop(settings: Settings) -> Found:
    """What people wrote would come back to us."""
    forward_to = settings.sink.forward_to
    if not forward_to or not settings.sink.enabled:
        return
    for index, listener in enumerate(settings.sink.listener):
        if forward_to == listener.address:
            yield "sink.forward_to", f"{forward_to} is the sink itself (sink.listener[{index}])"

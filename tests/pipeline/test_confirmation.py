"""Domains that were not found: what our own DNS says of them, and what it may not decide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from bouncemilter.model import Category, Effect, Event, Trust
from bouncemilter.pipeline.confirmation import AGAIN, CONTROL, Confirmer
from bouncemilter.store import Store
from tests.rig.dns import NameServer
from tests.store.outbreak import MINUTE, STANDARD, fail, failure

NOW = dt.datetime.now(dt.UTC)
JAN = "jan@gone.test"


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer({(CONTROL, "NS"): ["a.iana-servers.net."], ("alive.test", "NS"): ["ns.alive.test."]}) as running:
        yield running


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now


def confirmer(store: Store, server: NameServer, clock: Clock | None = None) -> Confirmer:
    return Confirmer(store, lambda: STANDARD, lambda: server.address, clock or Clock())


def not_found(address: str = JAN, **fields: object) -> Event:
    return failure(address, NOW - MINUTE, Category.DOMAIN_NOT_FOUND, **fields)


async def test_confirmed(store: Store, server: NameServer) -> None:
    """A domain that our own DNS does not find either is enough for one message; it is confirmed once."""
    (first,) = await fail(store, [not_found()])
    assert first.decision
    assert first.decision.watched == "1/2"
    asking = confirmer(store, server)
    assert await asking.confirm() == 1
    (found,) = await store.suppressed(JAN)
    assert (found.category, found.reason) == (
        Category.DOMAIN_NOT_FOUND,
        "hard, message 1 of 1 (trust token)",
    )
    newest = (await store.events_of(JAN))[0]
    assert (newest.event.dns_confirmed, newest.decision.effect) == (True, Effect.SUPPRESSED)
    assert await asking.confirm() == await confirmer(store, server).confirm() == 0
    assert len(await store.events_of(JAN)) == 2


async def test_plausible_needs_two(store: Store, server: NameServer) -> None:
    """What anybody could have written is confirmed, but one message stays one message."""
    await fail(store, [not_found(trust=Trust.PLAUSIBLE)])
    assert await confirmer(store, server).confirm() == 1
    assert await store.suppressed(JAN) == ()


async def test_living_domain(store: Store, server: NameServer) -> None:
    """A domain that exists is not confirmed, whether or not it has an MX."""
    await fail(store, [not_found("jan@alive.test")])
    assert await confirmer(store, server).confirm() == 0


@pytest.mark.parametrize("broken", ["servfail", "silent", "blind", "half"])
async def test_resolver_in_trouble(
    store: Store, server: NameServer, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SERVFAIL, silence, and a resolver that finds nothing at all confirm nothing."""
    monkeypatch.setattr("bouncemilter.pipeline.confirmation.SECONDS", 0.2)
    if broken == "servfail":
        server.records[CONTROL, "NS"] = None
    elif broken == "silent":
        server.silent = True
    elif broken == "blind":
        server.records.clear()
    else:
        server.records["gone.test", "MX"] = None
    await fail(store, [not_found()])
    assert await confirmer(store, server).confirm() == 0
    assert await store.suppressed(JAN) == ()


async def test_asked_again_later(store: Store, server: NameServer) -> None:
    """What was not confirmed is asked for again after an hour, not before."""
    server.records["gone.test", "NS"] = None
    clock = Clock()
    asking = confirmer(store, server, clock)
    await fail(store, [not_found()])
    assert await asking.confirm() == 0
    del server.records["gone.test", "NS"]
    assert await asking.confirm() == 0
    clock.now += AGAIN
    assert await asking.confirm() == 1


async def test_outage_and_dead_domains(store: Store, server: NameServer) -> None:
    """An outage of our own excuses everybody; those whose domain is really gone are suppressed all the same."""
    server.records |= {(f"firma{number}.test", "NS"): ["ns.firma.test."] for number in range(25)}
    people = [f"anna@firma{number}.test" for number in range(25)]
    await fail(store, [not_found(each) for each in (*people, JAN)])
    assert len(await store.incidents.newest()) == 1
    assert await confirmer(store, server).confirm() == 1
    assert [each.address_key async for each in store.listing.matching()] == [JAN]

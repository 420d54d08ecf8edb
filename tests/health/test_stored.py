"""What the store tells of the host."""

from __future__ import annotations

import datetime as dt

from bouncemilter.health import stored
from bouncemilter.health.snapshot import Snapshot
from bouncemilter.model import Category, Trust
from bouncemilter.store import Store
from tests.statistics.mailing import DAY, NOON, failure, record


async def test_made_up_lists(store: Store) -> None:
    """Whoever makes up a list for each bounce gets no more than some of them told."""
    made_up = [
        failure("a@wp.pl", Category.BLOCKLISTED, diagnostic=f"see rbl{n}.evil.test", template=f"see rbl{n}.evil.test")
        for n in range(50)
    ]
    await record(store, *made_up)
    assert len((await stored.look(store, Snapshot(NOON))).hits) == stored.LISTS


async def test_look(store: Store) -> None:
    """The store tells the last bounce, the lists that servers named within a day, and what was too big for them."""
    await store.ping()
    zen = {"category": Category.BLOCKLISTED, "diagnostic": "blocked using zen.spamhaus.org", "template": "zen"}
    banned = {
        "category": Category.BLOCKED_BY_PROVIDER,
        "diagnostic": "550 5.7.1 part of their network is on our block list (S3150)",
        "template": "550 5.7.1 part of their network is on our block list (s3150)",
    }
    await record(
        store,
        failure("a@wp.pl", at=NOON - dt.timedelta(hours=1), **zen),
        failure("b@wp.pl", at=NOON - 2 * DAY, **zen),
        failure("c@wp.pl", at=NOON - dt.timedelta(hours=2), **zen, trust=Trust.NONE),
        failure("d@wp.pl", Category.MESSAGE_TOO_BIG, at=NOON - dt.timedelta(hours=3)),
        failure("e@outlook.com", at=NOON, **banned),
        failure("f@firma.test", at=NOON, **(banned | {"diagnostic": "you are banned", "template": "you are banned"})),
    )
    found = await stored.look(store, Snapshot(NOON))
    assert found.heartbeat == NOON
    assert found.last_bounce == NOON
    assert [(hit.blocklist.name, hit.n) for hit in found.hits] == [("Spamhaus", 1), ("Outlook.com", 1)]
    assert (found.too_big, found.incidents) == (1, ())

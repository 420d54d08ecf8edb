"""A site for tests of the path: its pipeline, a real store and the real rules."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field, replace
from typing import Any

from bouncemilter import classify
from bouncemilter.model import Disposition, Effect, Envelope, Front, Kind, Source
from bouncemilter.pipeline import Flight, Options, Pipeline, balance
from bouncemilter.pipeline.attribution import Attribution
from bouncemilter.policy import Preset, Rules
from bouncemilter.returnpath import Recognizer, ReturnPath
from bouncemilter.store import Store, StoredEvent
from bouncemilter.trust import Evidence, Prover

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
PLAIN = "b@bounces.own.test"
WATCHED = "news@own.test"
JAN = "jan@klient.test"
ATTRIBUTION = Attribution(
    Prover(Recognizer([ReturnPath("bounces.own.test", "b", sender_domains=("own.test",))], [WATCHED])),
    Evidence(frozenset({"own.test"}), frozenset({"mx.own.test"})),
)


def verp(address: str) -> str:
    """The return path of a mail to `address`."""
    return f"b+{address.replace('@', '=')}@bounces.own.test"


def figures(front: Front) -> dict[str, float]:
    """The figures of a front's balances; those that are zero are left out."""
    found = {"in flight": balance.IN_FLIGHT.labels(front)._value.get()}
    for name, counter in (
        ("received", balance.RECEIVED),
        ("duplicates", balance.DUPLICATES),
        ("internal errors", balance.INTERNAL_ERRORS),
    ):
        found[name] = counter.labels(front)._value.get()
    for counter, label in (
        (balance.CLASSIFIED, "kind"),
        (balance.FAILED, "stage"),
        (balance.DISPOSED, "disposition"),
    ):
        for sample in itertools.chain.from_iterable(each.samples for each in counter.collect()):
            if sample.name.endswith("_total") and sample.labels["front"] == front:
                found[f"{label} {sample.labels[label]}"] = sample.value
    return found


@dataclass
class Ledger:
    """What has changed in a front's figures since it was made."""

    front: Front
    before: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before = figures(self.front)

    def changed(self) -> dict[str, float]:
        """Every figure that moved, and by how much. The two balances must close, whatever happened."""
        now = figures(self.front)
        moved = {name: now[name] - self.before.get(name, 0) for name in now}

        def total(word: str) -> float:
            return sum(value for name, value in moved.items() if name.startswith(f"{word} "))

        flying = moved["in flight"]
        assert moved["received"] == total("kind") + moved["duplicates"] + total("stage") + flying
        assert moved["received"] == total("disposition") + flying
        return {name: value for name, value in moved.items() if value}


class Site:
    """A pipeline; `deliver` is what a front does with a message."""

    def __init__(self, store: Store, preset: Preset = Preset.STANDARD) -> None:
        self.store = store
        self.options = Options(ATTRIBUTION, Rules(preset=preset))
        self.pipeline = Pipeline(store, classify.builtin(), self.options)

    def configure(self, classifier: Any = None, **changes: Any) -> None:
        """Other options, or another classifier."""
        self.options = replace(self.options, **changes)
        self.pipeline.configure(classifier or classify.builtin(), self.options)

    def flight(self, message: bytes, *to: str, days: float = 0, **envelope: Any) -> Flight:
        """The flight of a message that came `days` after noon of 1 March 2026."""
        values: dict[str, Any] = {"front": Front.SINK, "sender": "", "source": Source.REMOTE} | envelope
        at = NOON + dt.timedelta(days=days)
        return self.pipeline.open(Envelope(recipients=to, received_at=at, **values), message, len(message))

    async def deliver(self, message: bytes, *to: str, days: float = 0, **envelope: Any) -> tuple[Disposition, ...]:
        """Process a message and settle it as said; the dispositions."""
        with self.flight(message, *to, days=days, **envelope) as flight:
            found = await flight.process()
            flight.settle(found)
        return found

    async def events(self, address: str) -> list[StoredEvent]:
        """The events about an address, oldest first."""
        return list(reversed(await self.store.events_of(address)))

    async def effects(self, address: str) -> list[Effect]:
        """What policy made of each of them."""
        return [each.decision.effect for each in await self.events(address)]

    async def watched(self, address: str) -> list[str]:
        """How far each of them brought the address: `2/4`."""
        return [each.decision.watched for each in await self.events(address)]

    async def suppressed(self, address: str) -> bool:
        """Whether any suppression was ordered, whether or not it has expired by now."""
        return bool(await self.store.listing.of(address))

    async def counted(self, kind: Kind, *, overflow: bool = False) -> int:
        """How often the counts that are kept for good have `kind`."""
        today = dt.datetime.now(dt.UTC).date()
        days = await self.store.counts(today - dt.timedelta(days=1), today)
        return sum(each.n for each in days if each.kind is kind and each.overflow is overflow)

"""The figures on /metrics: a closed list of names and labels, with their zeros from the start."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bouncemilter.alert.watch import AlertKind, AlertResult
from bouncemilter.model import CLASS_OF, Cause, Class, Disposition, Front, IncidentKind, Kind, Trust
from bouncemilter.pipeline.balance import Stage
from tests.daemon.conftest import Host, Manager, running
from tests.ops.metrics import METRICS
from tests.ops.test_prometheus import rule_lines
from tests.rig import mail

OURS = "b+jan=klient.test@bounces.own.test"
VALUES: dict[str, frozenset[str]] = {
    "front": frozenset(Front),
    "kind": frozenset(Kind),
    "stage": frozenset(Stage),
    "disposition": frozenset(Disposition),
    "cause": frozenset({*Cause, "unconfirmed"}),
    "class": frozenset({*Class, ""}),
    "category": frozenset({*CLASS_OF, ""}),
    "trust": frozenset(Trust),
}
"""The labels whose values are the vocabulary's."""


class Sample(NamedTuple):
    name: str
    labels: dict[str, str]
    value: float


def samples(page: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(page):
        for each in family.samples:
            if each.name.startswith("bouncemilter_"):
                yield Sample(each.name, dict(each.labels), each.value)


@pytest.fixture
async def page(host: Host, manager: Manager) -> str:
    async with running(host, manager):
        await host.deliver(OURS, mail.dsn(OURS, "jan@klient.test"))
        await host.deliver(OURS, mail.letter(OURS))
        return (await host.get("/metrics"))[1]


async def test_closed_list(page: str) -> None:
    """Each metric is one of the list, with the list's labels, and all of the list are there."""
    histograms = {each.removesuffix("_bucket") for each in METRICS if each.endswith("_bucket")}
    seen = {}
    for each in samples(page):
        if each.name.removesuffix("_sum").removesuffix("_count") not in histograms:
            seen[each.name] = tuple(sorted(each.labels))
    # The fronts' own details appear with their first event.
    late = {name for name in METRICS if name.startswith("bouncemilter_sink_")} - seen.keys()
    assert seen == {name: tuple(sorted(labels)) for name, labels in METRICS.items() if name not in late}


async def test_closed_values(page: str) -> None:
    """A label of the vocabulary never has another value, and never one that came from outside (F49)."""
    for each in samples(page):
        of_one_front = each.name.startswith(("bouncemilter_sink_", "bouncemilter_milter_"))
        for label, value in each.labels.items():
            if each.name == "bouncemilter_incidents_total":
                assert value in frozenset(IncidentKind), each
            elif each.name == "bouncemilter_alerts_total":
                assert value in {*AlertKind, *AlertResult}, each
            elif label in VALUES and not of_one_front:
                assert value in VALUES[label], each
            else:
                assert re.fullmatch(r"[a-z_]+|[0-9.]+|\+Inf|[0-9.]+\S*", value), each


def asked_for() -> set[str]:
    """The counters of which the alert rules take an increase or a rate, or that they add up to a balance."""
    return set(re.findall(r"\bbouncemilter_[a-z_]+_total\b", rule_lines()))


async def test_zero_before_the_first(host: Host, manager: Manager) -> None:
    """Every counter that an alert asks for has a series for each label value before anything is counted.

    Without it, Prometheus sees no increase in a counter that begins with 1.
    """
    async with running(host, manager):
        found = list(samples((await host.get("/metrics"))[1]))
    assert len(asked_for()) >= 8
    for name in asked_for():
        have = {tuple(each.labels[label] for label in METRICS[name]) for each in found if each.name == name}
        if name == "bouncemilter_events_total":
            wanted = {("bounce", class_, category, trust) for category, class_ in CLASS_OF.items() for trust in Trust}
        else:
            wanted = set(itertools.product(*(VALUES[label] - {""} for label in METRICS[name])))
        assert wanted <= have, name


async def test_mirror_of_the_store(host: Host, manager: Manager) -> None:
    """The suppressions in force are those of the store at the moment of the scrape, for each cause."""
    async with running(host, manager):
        before = await host.metric('bouncemilter_suppressions_total{cause="hard"}')
        for _ in range(2):
            await host.deliver(OURS, mail.dsn(OURS, "jan@klient.test"))
        found = [each for each in samples((await host.get("/metrics"))[1]) if each.name.endswith("_active")]
        assert {each.labels["cause"]: each.value for each in found} == {cause: cause == "hard" for cause in Cause}
        assert await host.metric('bouncemilter_suppressions_total{cause="hard"}') == before + 1

"""`reclassify --diff`: what stored events would become under changed rules. Reads the store, changes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import click

from bouncemilter.assembly.pipeline import classifier
from bouncemilter.classify import Classifier, Reply
from bouncemilter.cli import configuration, ruleset, show
from bouncemilter.cli.storage import with_store
from bouncemilter.model import Category, Event, Ruling
from bouncemilter.settings import Settings
from bouncemilter.store import Store


@dataclass(frozen=True, slots=True)
class Shift:
    """From one ruling to another: stored and new."""

    category: Category
    rule: str
    new_category: Category
    new_rule: str

    @property
    def matters(self) -> bool:
        """Whether it is more than another rule with the same answer."""
        return self.category is not self.new_category


@dataclass(slots=True)
class Comparison:
    """Stored events beside what the rules say now."""

    events: int
    shifts: Counter[Shift]
    examples: dict[Shift, str]
    """For each shift one server's own words."""


@click.command("reclassify")
@configuration.option
@click.option("--diff", is_flag=True, required=True, help="Show what would change. Nothing else is done yet.")
@click.option("--all", "every", is_flag=True, help="Show changes of the rule alone, too.")
@ruleset.option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a change.")
def command(config: Path, diff: bool, every: bool, extra: Path | None, as_json: bool) -> None:  # noqa: ARG001  (diff is required)
    """Compare the categories of stored events with what the rules say now; the store stays as it is.

    The rules are those of the configuration, or the built-in ones and those of --rules. Who reported a failure is not
    stored, so a text that only its reporter explains may look changed.
    """

    async def compare(store: Store, settings: Settings) -> Comparison:
        rules = ruleset.load(extra) if extra else classifier(settings)
        found = Comparison(0, Counter(), {})
        async for stored in store.ruled():
            _count(found, stored.event, rules)
        return found

    found = with_store(config, compare)
    shown = [(shift, n) for shift, n in found.shifts.most_common() if every or shift.matters]
    if as_json:
        for shift, n in shown:
            show.json_line({"events": n, **show.plain(shift), "diagnostic": found.examples[shift]})
        return
    show.table(
        ("events", "was", "by", "would be", "by", "for example"),
        [
            (n, each.category, each.rule, each.new_category, each.new_rule, found.examples[each][:80])
            for each, n in shown
        ],
    )
    changed = sum(n for shift, n in found.shifts.items() if shift.matters)
    across = sum(n for shift, n in found.shifts.items() if shift.category.class_ is not shift.new_category.class_)
    show.line(f"{found.events} events, {changed} of another category, {across} of another class")


def _count(found: Comparison, event: Event, classifier: Classifier) -> None:
    if event.category is None:
        return
    found.events += 1
    ruling = _ruling(event, classifier)
    shift = Shift(event.category, event.rule, ruling.category, ruling.rule)
    if ruling.category is not event.category or ruling.rule != event.rule:
        found.shifts[shift] += 1
        found.examples.setdefault(shift, event.diagnostic)


def _ruling(event: Event, classifier: Classifier) -> Ruling:
    """What the rules say of a stored event."""
    return classifier.rule(
        Reply(
            text=event.diagnostic,
            status=event.status,
            reply_code=event.reply_code,
            phase=event.phase,
            action=event.action,
            remote_host=event.remote_host,
        )
    )

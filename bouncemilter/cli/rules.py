"""`rules test`: rule files against their own examples. `rules unmatched`: which templates no rule knows."""

from __future__ import annotations

from pathlib import Path

import click

from bouncemilter import classify
from bouncemilter.classify import check
from bouncemilter.cli import configuration, ruleset, show
from bouncemilter.cli.exits import Exit
from bouncemilter.cli.storage import with_store
from bouncemilter.settings import Settings
from bouncemilter.store import Store, Unmatched


@click.group("rules")
def command() -> None:
    """Test classification rules, and find what they don't know."""


@command.command("test")
@click.argument(
    "folder", metavar="[DIR]", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def test(folder: Path | None, as_json: bool) -> None:
    """Check the built-in rules, or those and the ones of DIR, and measure what a text costs.

    Each rule must decide its own examples and nobody else's, each pattern be RE2 within the limits, and no folder of
    own rules double the time of the built-in ones. Exit codes: 0 all is well, 1 something is not, 78 unreadable rules.
    """
    classifier = ruleset.load(folder)
    faults = check.faults(classifier)
    costs = check.cost(classifier)
    own = check.cost(classify.builtin()) if folder else costs
    if slow := check.too_slow(costs, own):
        faults.append(slow)
    if as_json:
        show.json_line({"rules": len(classifier.rules), "faults": faults, "microseconds": costs})
    else:
        for fault in faults:
            show.line(fault)
        show.line(f"{len(classifier.rules)} rules, {len(faults)} faults")
        show.line(f"{costs.new:.0f} µs a text that is new, {costs.known:.1f} µs one whose template is known")
        if folder:
            show.line(f"{own.new:.0f} µs and {own.known:.1f} µs with the built-in rules alone")
    raise SystemExit(Exit.NO if faults else Exit.OK)


@command.command("unmatched")
@configuration.option
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="Templates shown at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a template.")
def unmatched(config: Path, limit: int, as_json: bool) -> None:
    """Show the most frequent templates of stored events that no rule knows, and which code decided them."""

    async def find(store: Store, _settings: Settings) -> tuple[Unmatched, ...]:
        return await store.unmatched(limit)

    found = with_store(config, find)
    if as_json:
        for each in found:
            show.json_line(each)
        return
    show.table(
        ("events", "last", "decided by", "template"),
        [(each.n, each.last, each.rule, each.template or "(no words)") for each in found],
    )

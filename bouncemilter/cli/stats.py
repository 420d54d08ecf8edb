"""`stats`: one screen of totals."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import click

from bouncemilter.cli import configuration, language, show
from bouncemilter.cli.storage import with_store
from bouncemilter.language import Language
from bouncemilter.model import Category
from bouncemilter.settings import Settings
from bouncemilter.statistics import totals, words
from bouncemilter.statistics.report import TARGET, Line, Report
from bouncemilter.store import Store

_KINDS: Final = ("hard", "soft", "block", "delayed", "complaint", "unsubscribe", "auto_reply", "delivered")


@click.command("stats")
@configuration.option
@language.option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(config: Path, lang: Language, as_json: bool) -> None:
    """Show totals: suppressions, watched addresses, and what came back in the last 1, 7 and 30 days (UTC).

    Rates need records of sent mail, which is mail of a [[stream]].
    """

    async def find(store: Store, _: Settings) -> totals.Totals:
        return await totals.count(store, dt.datetime.now(dt.UTC))

    found = with_store(config, find)
    if as_json:
        show.json_line(_object(found))
        return
    _print(found, lang)


def _print(found: totals.Totals, lang: Language) -> None:
    def headings(*keys: str) -> list[str]:
        return [words.word(key, lang) for key in keys]

    show.line(words.word("in_force", lang, words.number(found.in_force, lang)))
    if found.pending:
        show.line(words.word("pending", lang, words.number(found.pending, lang), found.open_incidents))
    if found.suppressions:
        show.line("")
        show.table(headings("cause", "class", "scope", "suppressions"), _suppressions(found))
    if found.watched:
        show.line("")
        show.table(headings("watched", "addresses"), found.watched)
    show.line("")
    times = [words.word("today" if days == 1 else "days", lang, days) for days in totals.WINDOWS]
    show.table(["", *times], _windows(found, lang))
    for remark, given in found.reports[-1].remarks:
        show.line(words.remark(remark, given, lang))


def _suppressions(found: totals.Totals) -> Iterable[tuple[object, ...]]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for each in found.suppressions:
        class_ = each.category.class_ if each.category else ""
        counts[each.cause + (" (pending)" if each.pending else ""), class_, each.scope] += each.n
    return [(*key, n) for key, n in sorted(counts.items())]


def _windows(found: totals.Totals, lang: Language) -> Iterator[tuple[str, ...]]:
    whole = [report.total for report in found.reports]

    def numbers(values: Iterable[int | None]) -> Iterator[str]:
        return (words.number(value, lang) for value in values)

    target = words.word("target", lang, words.share(TARGET, lang))
    yield words.word("sent", lang), *numbers(line.sent for line in whole)
    yield words.word("failed", lang), *numbers(line.counts.failed for line in whole)
    yield words.word("rate", lang), *(words.percent(line.rate, lang) for line in whole)
    yield f"{words.word('arrived', lang)} ({target})", *(words.percent(line.arrived, lang) for line in whole)
    for name in _KINDS:
        title = words.word("said_delivered" if name == "delivered" else name, lang)
        yield title, *numbers(getattr(line.counts, name) for line in whole)
    yield words.word("withheld", lang), *numbers(found.withheld)
    for category in Category:
        lines = [_of(report, category) for report in found.reports]
        if any(line and line.counts.failed for line in lines):
            yield f"  {category}", *numbers(line.counts.failed if line else 0 for line in lines)


def _of(report: Report, category: Category) -> Line | None:
    return next((line for line in report.lines if line.name == category), None)


def _object(found: totals.Totals) -> dict[str, Any]:
    windows = {}
    for days, report, withheld in zip(totals.WINDOWS, found.reports, found.withheld, strict=True):
        windows[str(days)] = {
            "sent": report.total.sent,
            "failed": report.total.counts.failed,
            "rate": report.total.rate,
            "delivered_rate": report.total.arrived,
            "withheld": withheld,
            "kinds": dataclasses.asdict(report.total.counts),
            "categories": {line.name: line.counts.failed for line in report.lines if line.counts.failed},
            "remarks": [{"remark": each.value, "given": given} for each, given in report.remarks],
        }
    return {
        "at": found.at.isoformat(timespec="seconds"),
        "in_force": found.in_force,
        "pending": found.pending,
        "open_incidents": found.open_incidents,
        "suppressions": [show.plain(each) for each in found.suppressions],
        "watched": dict(found.watched),
        "days": windows,
    }

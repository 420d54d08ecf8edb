"""`report`: how much came back, of what was sent."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from bouncemilter import address, csvfile, domain
from bouncemilter.classify.advice import advice
from bouncemilter.cli import configuration, language, show
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.output import Output
from bouncemilter.cli.storage import with_store
from bouncemilter.language import Language
from bouncemilter.model import Category
from bouncemilter.settings import Settings
from bouncemilter.statistics import blocklists, bundle, page, words
from bouncemilter.statistics.blocklists import Hit
from bouncemilter.statistics.compiling import compile_report, wordings
from bouncemilter.statistics.query import By, Query
from bouncemilter.statistics.report import TARGET, Line, Report, Wording
from bouncemilter.store import Store

DAYS: Final = 30
"""Of a report, where no day is given."""
_PARTS: Final = ("hard", "soft", "block", "complaint", "unsubscribe", "delayed", "auto_reply")
_DOMAIN: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_DAY: Final = click.DateTime(["%Y-%m-%d"])


@click.command("report")
@configuration.option
@click.option("--from", "first", type=_DAY, metavar="DATE", help="The first day; else 30 days up to the last.")
@click.option("--to", "last", type=_DAY, metavar="DATE", help="The last day, included; else today.")
@click.option("--by", type=click.Choice([each.value for each in By]), default="day", show_default=True, help="Lines.")
@click.option("--campaign", default="", metavar="NAME", help="Only this campaign.")
@click.option("--list", "list_id", default="", metavar="LIST-ID", help="Only this list.")
@click.option("--provider", default="", metavar="DOMAIN", help="Only recipients at this domain.")
@click.option("--category", type=click.Choice([each.value for each in Category]), metavar="CATEGORY", help="Only this.")
@click.option(
    "--raw", type=click.Choice([each.value for each in Category]), metavar="CATEGORY", help="What servers said of it."
)
@click.option(
    "--time-zone", "zone", default="UTC", show_default=True, metavar="ZONE", help="Whose days: Europe/Warsaw."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "html"]),
    default="table",
    show_default=True,
    help="How it is written.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@language.option
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Not the terminal.")
@click.option(
    "--bundle",
    "bundle_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A ZIP file for a ticket with --provider: its refusals, without persons.",
)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="Lines of a table.")
def command(config: Path, form: str, as_json: bool, lang: Language, limit: int, **asked: Any) -> None:
    """How many messages came back, of how many that were sent, and why.

    Rates need records of sent mail, which is mail of a [[stream]]; without them there are counts alone. The target is
    98 % delivered. Reports that nothing ties to your mail (trust none) are left out.
    """
    form = "json" if as_json else form
    query = _query(asked)
    if asked["bundle_file"]:
        if asked["raw"] or asked["output"] or form != "table":
            raise click.UsageError("--bundle is a file of its own: without --raw, --output, --format")
        _bundle(config, query, asked["bundle_file"])
        return
    with Output(asked["output"]) as output:
        _write(config, query, form, lang, limit, asked["raw"], output)


def _write(  # noqa: PLR0913, PLR0917  (one for each option)
    config: Path, query: Query, form: str, lang: Language, limit: int, raw: str | None, output: Output
) -> None:
    if raw:
        if query.category and query.category != raw:
            raise click.UsageError("--raw and --category name different reasons")
        if form == "html":
            raise click.UsageError("--raw has no HTML: the page shows the servers' words beside each reason")
        _raw(config, replace(query, category=Category(raw)), form, lang, limit, output)
        return

    async def find(store: Store, _: Settings) -> tuple[Report, page.Page | None]:
        source = store.figures
        report = await compile_report(source, query)
        return report, await page.compile_page(source, report, dt.datetime.now(dt.UTC)) if form == "html" else None

    report, whole = with_store(config, find, lasting=False)
    if whole:
        output.put(page.render(whole, lang).encode())
    elif form == "csv":
        output.put(csvfile.encoded([_headings(report), *_rows(report)]))
    elif form == "json":
        _put_object(_object(report), output)
    else:
        with output.lines():
            _table(report, lang, limit)


def _query(asked: dict[str, Any]) -> Query:
    try:
        zone: dt.tzinfo = dt.UTC if asked["zone"].upper() == "UTC" else zoneinfo.ZoneInfo(asked["zone"])
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise click.BadParameter("no such time zone; write Europe/Warsaw", param_hint="--time-zone") from None
    last = asked["last"].date() if asked["last"] else dt.datetime.now(zone).date()
    first = asked["first"].date() if asked["first"] else last - dt.timedelta(days=DAYS - 1)
    if first > last:
        raise click.UsageError("--from is after --to")
    if (last - first).days >= 3660:
        raise click.UsageError("at most ten years")
    if first.year < 1970 or last.year > 9000:
        raise click.UsageError("--from and --to are years of mail: 1970 to 9000")
    return Query(
        first,
        last,
        By(asked["by"]),
        zone,
        campaign=asked["campaign"].strip(),
        list_id=asked["list_id"].strip("<> ").lower(),
        provider=_provider(asked["provider"]),
        category=Category(asked["category"]) if asked["category"] else None,
    )


def _provider(written: str) -> str:
    if not written:
        return ""
    name = domain.registrable(address.domain_key(written.strip().lstrip("@")))
    if not _DOMAIN.fullmatch(name):
        raise click.BadParameter("no domain; write wp.pl", param_hint="--provider")
    return name


def _raw(config: Path, query: Query, form: str, lang: Language, limit: int, output: Output) -> None:
    async def find(store: Store, _: Settings) -> list[Wording]:
        return await wordings(store.figures, query, limit)

    found = with_store(config, find, lasting=False)
    headings = ("messages", "last", "words", "template")
    rows = [(each.n, each.last.isoformat(timespec="seconds"), each.diagnostic, each.template) for each in found]
    if form == "csv":
        output.put(csvfile.encoded([headings, *rows]))
    elif form == "json":
        _put_object([show.plain(each) for each in found], output)
    else:
        with output.lines():
            assert query.category is not None
            show.line(f"{query.category}: {advice(query.category, lang)}")
            show.table(headings[:3], [(each.n, each.last, each.diagnostic or each.template) for each in found])
            refused = [(each.diagnostic, each.n) for each in found]
            if query.category is Category.BLOCKLISTED:
                _lists(blocklists.hits(refused), lang)
            elif query.category is Category.BLOCKED_BY_PROVIDER:
                _lists(blocklists.hits((), refused), lang)
    raise SystemExit(Exit.OK if found else Exit.NO)


def _lists(hits: Sequence[Hit], lang: Language) -> None:
    if not hits:
        return
    show.line("")
    rows = [
        (hit.blocklist.name or words.word("none", lang), hit.n, hit.blocklist.removal or hit.blocklist.note(lang))
        for hit in hits
    ]
    show.table([words.word(each, lang) for each in ("list", "messages", "removal")], rows)


def _bundle(config: Path, query: Query, path: Path) -> None:
    if not query.provider:
        raise click.UsageError("--bundle needs --provider: a ticket is with one of them")

    async def find(store: Store, _: Settings) -> list[tuple[str, ...]]:
        return await bundle.collect(store.figures, query)

    with Output(path) as output:
        rows = with_store(config, find, lasting=False)
        if not rows:
            raise Failure(f"{query.provider} refused nothing in this time", Exit.NO)
        output.put(bundle.write(rows, query))
    show.line(f"{path}: refusals: {len(rows)}; local parts of addresses are replaced, subjects and texts left out")


def _table(report: Report, lang: Language, limit: int) -> None:
    parts = _PARTS[:5]
    headings = [words.by(report.query.by, lang)]
    headings += [words.word(each, lang) for each in ("sent", "failed", "rate", "arrived", *parts)]
    shown = report.lines[-limit:] if report.query.by is By.DAY else report.lines[:limit]
    rows = [
        (
            name,
            words.number(line.sent, lang),
            words.number(line.counts.failed, lang),
            words.percent(line.rate, lang),
            words.percent(line.arrived, lang) + ("" if line.on_target is not False else " !"),
            *(words.number(getattr(line.counts, part), lang) for part in parts),
        )
        for name, line in [
            *((each.name or words.word("none", lang), each) for each in shown),
            (words.word("total", lang), report.total),
        ]
    ]
    show.table(headings, rows)
    if len(report.lines) > len(shown):
        show.line(words.word("more", lang, len(report.lines) - len(shown)))
    show.line("")
    standing = {None: "unknown", True: "reached", False: "missed"}[report.total.on_target]
    show.line(f"{words.word('target', lang, words.share(TARGET, lang))}: {words.word(standing, lang)}")
    for remark, given in report.remarks:
        show.line(words.remark(remark, given, lang))
    if report.query.by is By.CATEGORY:
        show.line("")
        for line in shown:
            if line.name in frozenset(Category) and line.counts.failed:
                show.line(f"{line.name}: {advice(Category(line.name), lang)}")


def _headings(report: Report) -> list[str]:
    return [report.query.by.value, "sent", "failed", "rate", "delivered_rate", *_PARTS]


def _rows(report: Report) -> list[list[object]]:
    return [*(_values(line.name, line) for line in report.lines), _values("total", report.total)]


def _values(name: str, line: Line) -> list[object]:
    rates = ["" if each is None else f"{each:.6f}" for each in (line.rate, line.arrived)]
    sent = "" if line.sent is None else line.sent
    return [name, sent, line.counts.failed, *rates, *(getattr(line.counts, part) for part in _PARTS)]


def _object(report: Report) -> dict[str, Any]:
    query = report.query

    def plain(line: Line) -> dict[str, Any]:
        return {
            "name": line.name,
            "sent": line.sent,
            "failed": line.counts.failed,
            "rate": line.rate,
            "measured": line.measured,
            "delivered_rate": line.arrived,
            "on_target": line.on_target,
            **{part: getattr(line.counts, part) for part in _PARTS},
        }

    return {
        "from": query.first.isoformat(),
        "to": query.last.isoformat(),
        "by": query.by.value,
        "time_zone": str(query.zone),
        "campaign": query.campaign,
        "list": query.list_id,
        "provider": query.provider,
        "category": query.category,
        "lines": [plain(line) for line in report.lines],
        "total": plain(report.total),
        "remarks": [{"remark": each.value, "given": given} for each, given in report.remarks],
    }


def _put_object(value: object, output: Output) -> None:
    with output.lines():
        show.json_line(value)

"""A report as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import resources
from typing import Final

import jinja2

from bouncemilter import text
from bouncemilter.classify.advice import advice
from bouncemilter.language import Language
from bouncemilter.model import Category
from bouncemilter.statistics import blocklists, chart, words
from bouncemilter.statistics.blocklists import Hit
from bouncemilter.statistics.compiling import compile_report, wordings
from bouncemilter.statistics.query import By
from bouncemilter.statistics.report import TARGET, Line, Report, Wording
from bouncemilter.store.figures import Figures

LINES: Final = 100
"""Of a table, at most."""
WORDINGS: Final = 5
"""Of one reason, at most."""


WORDS: Final = 300
"""Characters of a server's reply, at most; `report --raw` has the whole of it."""


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on it."""

    asked: Report
    by_day: Report
    by_category: Report
    wordings: Sequence[Wording]
    hits: Sequence[Hit]
    made_at: dt.datetime


async def compile_page(source: Figures, asked: Report, at: dt.datetime) -> Page:
    """The page about what `asked` is about, made at `at`. StoreUnavailable while the database can't be used."""
    query = asked.query
    by_day = asked if query.by is By.DAY else await compile_report(source, replace(query, by=By.DAY))
    by_category = asked if query.by is By.CATEGORY else await compile_report(source, replace(query, by=By.CATEGORY))
    said = await wordings(source, query)
    listed, blocked = (
        [(each.diagnostic, each.n) for each in said if each.category is category]
        for category in (Category.BLOCKLISTED, Category.BLOCKED_BY_PROVIDER)
    )
    return Page(asked, by_day, by_category, said, blocklists.hits(listed, blocked), at)


def render(page: Page, language: Language = Language.EN) -> str:
    """The page. Whatever servers and senders wrote is text, never markup."""
    style = resources.files("bouncemilter.statistics").joinpath("templates/report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    said: dict[Category, list[Wording]] = {}
    for each in page.wordings:
        if each.category and len(said.setdefault(each.category, [])) < WORDINGS:
            said[each.category].append(each)
    tables = [page.asked] if page.asked.query.by not in (By.DAY, By.CATEGORY) else []
    return _template().render(
        page=page,
        language=language,
        style=style,
        style_digest=digest,
        bars=chart.bars(page.by_day.lines),
        curve=chart.curve(page.by_day.lines),
        chart=chart,
        tables=tables,
        categories=[line for line in page.by_category.lines if line.name in _CATEGORIES],
        said=said,
        target=TARGET,
        most=LINES,
        word=partial(_worded, language),
        heading=partial(words.by, language=language),
        number=partial(words.number, language=language),
        percent=partial(words.percent, language=language),
        share_of=partial(words.share, language=language),
        short=words.short,
        words_shown=WORDS,
        remarks=[words.remark(each, given, language) for each, given in page.asked.remarks],
        advice=_adviser(language),
        filters=_filters(page.asked),
    )


def _worded(language: Language, key: str, *given: object) -> str:
    return words.word(key, language, *given)


def _adviser(language: Language) -> Callable[[Line], object]:
    return lambda line: advice(Category(line.name), language)


def _filters(report: Report) -> list[tuple[By, str]]:
    query = report.query
    values = (
        (By.CAMPAIGN, query.campaign),
        (By.LIST, query.list_id),
        (By.PROVIDER, query.provider),
        (By.CATEGORY, str(query.category or "")),
    )
    return [(by, value) for by, value in values if value]


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bouncemilter.statistics", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Controls and bidirectional overrides are shown, not obeyed.
        finalize=lambda value: text.visible(value) if type(value) is str else value,
    )
    return environment.get_template("report.html")


_CATEGORIES: Final = frozenset(Category)

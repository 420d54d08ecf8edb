"""The HTML page: whole, harmless, and of one piece."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from bouncemilter.language import Language
from bouncemilter.model import Category
from bouncemilter.statistics import blocklists, page
from bouncemilter.statistics.compiling import compile_report
from bouncemilter.statistics.query import By, Query
from bouncemilter.store import Store
from tests.statistics.mailing import DAY, HOSTILE, NOON, failure, record, sent

TODAY = NOON.date()
_VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})


class Reader(HTMLParser):
    """Reads a page; fails where an element is not closed in its turn."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.elements: set[str] = set()
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


async def made(store: Store, by: By = By.PROVIDER, language: Language = Language.EN, **asked: Any) -> str:
    query = Query(TODAY - 6 * DAY, TODAY, by, **asked)
    asked = await compile_report(store.figures, query)
    return page.render(await page.compile_page(store.figures, asked, NOON), language)


async def fill(store: Store) -> None:
    await store.sent.record(sent(100, campaign=HOSTILE, list_id=HOSTILE, provider="klient.test"))
    hostile = {"diagnostic": HOSTILE + "\u202e\x1b[31m", "template": HOSTILE, "subject": HOSTILE}
    await record(
        store,
        failure("a@klient.test", campaign=HOSTILE, **hostile),
        failure("b@klient.test", Category.BLOCKLISTED, list_id=HOSTILE, **hostile),
        failure("c@klient.test", Category.MESSAGE_TOO_BIG, diagnostic="552 too big", template="552 too big"),
        failure("d@klient.test", Category.BLOCKLISTED, diagnostic="blocked using zen.spamhaus.org", template="zen"),
    )


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("by", By)
async def test_hostile_words(store: Store, by: By, language: Language) -> None:
    """What strangers wrote stands there as text, in every part of the page; no element or attribute is theirs."""
    await fill(store)
    html = await made(store, by, language, campaign=HOSTILE if by is By.LIST else "")
    found = Reader(html)
    assert "script" not in found.elements
    assert HOSTILE in found.text
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", html)
    assert all(not name.startswith("on") for _, name, _ in found.attributes)
    assert ("html", "lang", language.value) in found.attributes


async def test_one_piece(store: Store) -> None:
    """The page loads nothing: no address but links that people may follow, which are of the shipped table."""
    await fill(store)
    html = await made(store)
    links = [(tag, value) for tag, name, value in Reader(html).attributes if name in ("href", "src", "srcset", "data")]
    assert sorted(links) == [("a", "https://check.spamhaus.org/"), ("a", blocklists.UNKNOWN_REMOVAL)]
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


async def test_policy(store: Store) -> None:
    """The page forbids browsers everything but its own style, which they will take."""
    await fill(store)
    html = await made(store)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy[1] == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert all(name != "style" for _, name, _ in Reader(html).attributes)


async def test_advice(store: Store) -> None:
    """Each reason stands with its advice, the size of mailings and the way off a list among it, in both languages."""
    await fill(store)
    english = Reader(await made(store)).text
    polish = Reader(await made(store, language=Language.PL)).text
    assert "Keep mailings under 250 KB" in english
    assert "mniejsze niż 250 KB" in polish
    assert "ask for removal there" in english
    assert "poproś tam o wykreślenie" in polish


async def test_figures(store: Store) -> None:
    """Sent, rate and the target stand on it, as the language writes them."""
    await fill(store)
    assert "4.00%" in Reader(await made(store)).text
    polish = Reader(await made(store, language=Language.PL)).text
    assert "96,00 %" in polish
    assert "poniżej celu" in polish


async def test_nothing(store: Store) -> None:
    """An empty store makes a whole page, without rates."""
    text = Reader(await made(store)).text
    assert "Nothing came back in this time." in text
    assert "No sent mail is recorded" in text


async def test_long_words(store: Store) -> None:
    """Of a very long reply its beginning is shown: the page stays one that can be read."""
    said = {"diagnostic": "554 no " + "word " * 1000, "template": "554 no"}
    await record(store, failure("a@klient.test", Category.BLOCKLISTED, **said))
    text = Reader(await made(store)).text
    assert text.count("554 no word") == 2
    assert text.count("word word") < page.WORDS


async def test_charts_have_words(store: Store) -> None:
    """Who can't see the charts is told what they say, and has each day's figures in a table."""
    await fill(store)
    html = await made(store)
    found = Reader(html)
    ids = {value for _, name, value in found.attributes if name == "id"}
    labelled = [value.split() for tag, name, value in found.attributes if (tag, name) == ("svg", "aria-labelledby")]
    assert len(labelled) == 2
    assert all(ids.issuperset(names) for names in labelled)
    assert "came back: 4; the most on one day, 4, on 2026-10-20" in found.text
    assert "the lowest share is 96.00%, on 2026-10-20" in found.text
    assert '<tr><td>2026-10-20</td><td class="n">100</td><td class="n">4</td>' in html


async def test_one_reason(store: Store) -> None:
    """A page of one reason names no share of delivered messages, and no target."""
    await fill(store)
    text = Reader(await made(store, category=Category.BLOCKLISTED)).text.partition("Bounce report")[2]
    text = text.partition("Bounce report")[2]
    assert "2.00%" in text
    assert "target" not in text

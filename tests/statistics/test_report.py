"""Reports: what is counted, and when a rate is told."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import pytest

from bouncemilter.model import Category, Kind, Trust
from bouncemilter.model.sent import NAME_LENGTH, OTHER
from bouncemilter.returnpath import Key, KeyRing, ReturnPath, Signer
from bouncemilter.statistics.compiling import compile_report, refusals, wordings
from bouncemilter.statistics.query import By, Query
from bouncemilter.statistics.report import Line, Remark, Report
from bouncemilter.store import Retention, Store
from tests.statistics.conftest import Clock
from tests.statistics.mailing import DAY, NOON, failure, record, sent

SIGNER = Signer(ReturnPath("bounces.own.test", "b"), KeyRing([Key(0, NOON, bytes(32))]))
TODAY = NOON.date()


async def report(store: Store, by: By = By.CATEGORY, days: int = 3, **fields: Any) -> Report:
    return await compile_report(store.figures, Query(TODAY - (days - 1) * DAY, TODAY, by, **fields))


def line(found: Report, name: str) -> Line:
    return next(each for each in found.lines if each.name == name)


def remarks(found: Report) -> dict[Remark, str]:
    return dict(found.remarks)


async def test_classes(store: Store) -> None:
    """Failures are counted by class, other kinds by themselves, and the total is the sum of the lines."""
    await record(
        store,
        failure("a@wp.pl"),
        failure("b@wp.pl", Category.MAILBOX_FULL),
        failure("c@wp.pl", Category.CONTENT_BLOCKED),
        failure("d@wp.pl", Category.MAILBOX_FULL, kind=Kind.DELAYED),
        failure("e@wp.pl", None, kind=Kind.COMPLAINT),
        failure("f@wp.pl", None, kind=Kind.UNSUBSCRIBE),
        failure("g@wp.pl", None, kind=Kind.AUTO_REPLY),
        failure("h@wp.pl", None, kind=Kind.CHALLENGE),
    )
    counts = (await report(store)).total.counts
    assert (counts.hard, counts.soft, counts.block, counts.failed) == (1, 1, 1, 3)
    assert (counts.complaint, counts.unsubscribe, counts.auto_reply, counts.delayed) == (1, 1, 1, 1)


async def test_a_message_counts_once(store: Store) -> None:
    """Two reports on one message to one address are one failure; another address's is another."""
    await record(store, failure("a@wp.pl", message_key="mid:<1@own.test>"))
    await record(store, failure("a@wp.pl", message_key="mid:<1@own.test>"))
    await record(store, failure("b@wp.pl", message_key="mid:<1@own.test>"))
    assert (await report(store)).total.counts.hard == 2


async def test_the_first_report_counts(store: Store) -> None:
    """A message that is reported again, on another day or for another reason, counts where it first failed."""
    await store.sent.record(sent(1))
    again = {"message_key": "mid:<1@own.test>"}
    await record(store, failure("a@wp.pl", at=NOON - DAY, **again))
    await record(store, failure("a@wp.pl", Category.MAILBOX_FULL, **again))
    days = await report(store, By.DAY)
    assert [each.counts.failed for each in days.lines] == [0, 1, 0]
    for by in By:
        assert (await report(store, by)).total.counts.failed == 1
    assert [each.name for each in (await report(store)).lines] == ["user_unknown"]
    for category, n in ((Category.USER_UNKNOWN, 1), (Category.MAILBOX_FULL, 0)):
        assert (await report(store, category=category)).total.counts.failed == n


async def test_no_rate_without_sent_mail(store: Store) -> None:
    """Where no sent mail is recorded there are counts, no rates, and that is said."""
    await record(store, failure("a@wp.pl"))
    for by in By:
        found = await report(store, by)
        assert found.total.counts.failed == 1
        assert [each.rate for each in (*found.lines, found.total)] == [None] * (len(found.lines) + 1)
        assert found.total.on_target is None
        assert Remark.NO_SENT in remarks(found)


@pytest.mark.parametrize(("n", "on_target"), [(50, True), (49, False)])
async def test_target(store: Store, n: int, on_target: bool) -> None:
    """98 % delivered is on target, less is not."""
    await store.sent.record(sent(n))
    await record(store, failure("a@wp.pl"))
    found = (await report(store, days=1)).total
    assert (found.rate, found.on_target) == (1 / n, on_target)


async def test_rates_are_of_the_recorded_time(store: Store) -> None:
    """What came back before sent mail was recorded is counted, but is in no rate."""
    await store.sent.record(sent(10))
    await record(store, failure("a@wp.pl"), failure("b@wp.pl", at=NOON - 2 * DAY), failure("c@wp.pl", at=NOON - DAY))
    for by in (By.CATEGORY, By.DAY, By.PROVIDER):
        found = await report(store, by)
        assert found.total.counts.failed == 3
        assert found.total.rate == 0.1
        assert remarks(found)[Remark.SENT_SINCE] == TODAY.isoformat()
    assert line(await report(store, By.DAY), (TODAY - DAY).isoformat()).rate is None


async def test_more_than_sent(store: Store) -> None:
    """A line with more failures than messages has no rate: none could be true."""
    await store.sent.record(sent(1, provider="wp.pl"))
    await record(store, failure("a@wp.pl"), failure("b@wp.pl"))
    found = await report(store, By.PROVIDER, days=1)
    assert (line(found, "wp.pl").rate, found.total.rate) == (None, None)
    assert Remark.MORE_THAN_SENT in remarks(found)


async def test_providers(store: Store) -> None:
    """Providers are registrable domains, also of the failures; those without failures stand there with their zero."""
    await store.sent.record([*sent(4, provider="onet.pl"), *sent(6, provider="wp.pl")])
    await record(store, failure("a@poczta.onet.pl"), failure('"x@y"@onet.pl'))
    found = await report(store, By.PROVIDER, days=1)
    assert [(each.name, each.counts.failed, each.rate) for each in found.lines] == [
        ("onet.pl", 2, 0.5),
        ("wp.pl", 0, 0),
    ]
    assert (await report(store, days=1, provider="onet.pl")).total.rate == 0.5
    assert (await report(store, days=1, provider="net.pl")).total.counts.failed == 0


async def test_campaigns(store: Store) -> None:
    """The campaign is named by the returned header, or by the 24 bits of the signed return path."""
    await store.sent.record([*sent(10, campaign="wiosna"), *sent(10, campaign="lato")])
    minted = SIGNER.mint("b@wp.pl", campaign="wiosna", day=TODAY)
    hashed = SIGNER.mint("o'neil@wp.pl", campaign="lato", day=TODAY)
    several = SIGNER.mint_message(campaign="lato", day=TODAY).address
    other = SIGNER.mint("e@wp.pl", campaign="jesień", day=TODAY)
    await record(
        store,
        failure("a@wp.pl", campaign="wiosna"),
        failure("b@wp.pl", envelope_recipient=minted.upper()),
        failure("o'neil@wp.pl", envelope_recipient=hashed),
        failure("d@wp.pl", envelope_recipient=several),
        failure("e@wp.pl", envelope_recipient=other),
        failure("f@wp.pl", campaign="lato:own.test:mail:1"),
        failure("g@wp.pl", envelope_recipient="b+g=wp.pl@bounces.own.test"),
    )
    found = await report(store, By.CAMPAIGN, days=1)
    named = {each.name: each.counts.failed for each in found.lines}
    unknown = next(name for name in named if name.startswith("#"))
    assert named == {"wiosna": 2, "lato": 3, unknown: 1, "": 1}
    assert line(found, "lato").rate == 0.3
    assert (await report(store, days=1, campaign="lato")).total.rate == 0.3


async def test_lists_and_messages(store: Store) -> None:
    """Lists are told apart in any case of letters; messages by their subject, without rates."""
    await store.sent.record(sent(4, list_id="news.own.test"))
    await record(store, failure("a@wp.pl", list_id="News.Own.Test", subject="Nowości"), failure("b@wp.pl"))
    found = await report(store, By.LIST, days=1)
    assert line(found, "news.own.test").rate == 0.25
    assert line(found, "").rate is None
    assert (await report(store, days=1, list_id="news.own.test")).total.counts.failed == 1
    found = await report(store, By.MESSAGE, days=1)
    assert {each.name: each.rate for each in found.lines} == {"Nowości": None, "News": None}
    assert Remark.NO_SHARE in remarks(found)


async def test_streams(store: Store) -> None:
    """A failure belongs to the one stream that has sent under its campaign, list or sender; else none is guessed."""
    await store.sent.record([*sent(4, stream="news", campaign="wiosna"), *sent(4, stream="shop")])
    await record(store, failure("a@wp.pl", campaign="wiosna"), failure("b@wp.pl"))
    found = await report(store, By.STREAM, days=1)
    assert {each.name: each.counts.failed for each in found.lines} == {"news": 1, "shop": 0, "": 1}
    assert remarks(found)[Remark.SAME_STREAM] == "1"


async def test_category_filter(store: Store) -> None:
    """A filter on a reason leaves the others out, and the rate is the reason's."""
    await store.sent.record(sent(10))
    await record(store, failure("a@wp.pl"), failure("b@wp.pl", Category.MAILBOX_FULL))
    found = await report(store, By.DAY, days=1, category=Category.MAILBOX_FULL)
    assert (found.total.counts.soft, found.total.counts.hard, found.total.rate) == (1, 0, 0.1)


@pytest.mark.parametrize(("by", "category"), [(By.DAY, Category.MAILBOX_FULL), (By.CATEGORY, None)])
async def test_one_reason_says_nothing_of_what_arrived(store: Store, by: By, category: Category | None) -> None:
    """The failures of one reason have a rate, but no share of delivered messages, and reach no target."""
    await store.sent.record(sent(10))
    await record(store, failure("a@wp.pl"), failure("b@wp.pl", Category.MAILBOX_FULL))
    (found,) = (each for each in (await report(store, by, days=1, category=category)).lines if each.counts.soft)
    assert (found.rate, found.arrived, found.on_target) == (0.1, None, None)


async def test_no_rate_of_what_is_no_failure(store: Store) -> None:
    """By reason, complaints and replies stand there with their counts; none of them came back."""
    await store.sent.record(sent(10))
    await record(store, failure("a@wp.pl", None, kind=Kind.COMPLAINT), failure("b@wp.pl", None, kind=Kind.AUTO_REPLY))
    found = await report(store, days=1)
    assert [(each.name, each.rate) for each in found.lines] == [("auto_reply", None), ("complaint", None)]


@pytest.mark.parametrize(("by", "field"), [(By.CAMPAIGN, "campaign"), (By.LIST, "list_id")])
async def test_no_rate_without_a_name(store: Store, by: By, field: str) -> None:
    """What came back without a name may be of any, so it is in no rate, and that is said; what was sent without one,
    or under names that are not told apart, has none either.
    """
    await store.sent.record([*sent(10), *sent(10, **{field: "wiosna"}), *sent(10, **{field: OTHER})])
    await record(store, failure("a@wp.pl"), failure("b@wp.pl", **{field: "wiosna"}))
    found = await report(store, by, days=1)
    assert {each.name: (each.counts.failed, each.rate) for each in found.lines} == {
        "": (1, None),
        "wiosna": (1, 0.1),
        OTHER: (0, None),
    }
    assert found.total.rate == 2 / 30
    assert remarks(found)[Remark.UNNAMED] == "1"


@pytest.mark.parametrize(("by", "field"), [(By.CAMPAIGN, "campaign"), (By.LIST, "list_id")])
async def test_long_names(store: Store, by: By, field: str) -> None:
    """Names are cut alike on both sides, and a filter takes either length."""
    name = "w" * (NAME_LENGTH + 50)
    await store.sent.record(sent(10, **{field: name[:NAME_LENGTH]}))
    await record(store, failure("a@wp.pl", **{field: name}), failure("b@wp.pl"))
    (found,) = (each for each in (await report(store, by, days=1)).lines if each.name)
    assert (found.name, found.rate) == (name[:NAME_LENGTH], 0.1)
    for asked in (name, name[:NAME_LENGTH]):
        assert (await report(store, By.DAY, days=1, **{field: asked})).total.rate == 0.1


async def test_days_of_a_zone(store: Store) -> None:
    """Report days begin at the zone's midnight; each day of the time has a line."""
    late = dt.datetime.combine(TODAY - DAY, dt.time(23, 30), dt.UTC)
    await record(store, failure("a@wp.pl", at=late))
    utc = await report(store, By.DAY)
    polish = await report(store, By.DAY, zone=zoneinfo.ZoneInfo("Europe/Warsaw"))
    assert [each.counts.failed for each in utc.lines] == [0, 1, 0]
    assert [each.counts.failed for each in polish.lines] == [0, 0, 1]


@pytest.mark.parametrize("by", By)
async def test_rates_are_of_utc_days(store: Store, by: By) -> None:
    """Sent mail is counted by UTC days: in another zone a rate is of the same UTC days' failures, and that is said."""
    await store.sent.record(sent(10, campaign="c", list_id="l", provider="wp.pl"))
    named = {"campaign": "c", "list_id": "l"}
    midnight = dt.datetime.combine(TODAY, dt.time(), dt.UTC)
    for hours in (-1.5, 12, 22.5, 22.6):  # the first is of the Polish day alone, the last two of the UTC day alone
        await record(store, failure(f"a{hours}@wp.pl", at=midnight + dt.timedelta(hours=hours), **named))
    found = await report(store, by, days=1, zone=zoneinfo.ZoneInfo("Europe/Warsaw"))
    for each in (found.total, *found.lines):
        assert each.counts.failed == 2
        assert each.rate == (None if by is By.MESSAGE and each.name else 0.3)
    assert Remark.UTC_SENT in remarks(found)


async def test_rates_of_lines_that_are_not_there(store: Store) -> None:
    """What failed on the UTC days alone has no line in another zone's report, but is in the rate of the whole."""
    await store.sent.record(sent(10))
    late = dt.datetime.combine(TODAY, dt.time(23), dt.UTC)
    await record(store, failure("a@onet.pl", at=late), failure("b@wp.pl"))
    found = await report(store, By.PROVIDER, days=1, zone=zoneinfo.ZoneInfo("Europe/Warsaw"))
    assert [(each.name, each.counts.failed) for each in found.lines] == [("wp.pl", 1), ("klient.test", 0)]
    assert (found.total.counts.failed, found.total.rate) == (1, 0.2)


@pytest.mark.parametrize(
    ("zone", "day", "start", "hours"),
    [
        ("Europe/Warsaw", dt.date(2026, 10, 25), "2026-10-24T22:00", 25),
        ("Europe/Warsaw", dt.date(2026, 3, 29), "2026-03-28T23:00", 23),
        ("America/Santiago", dt.date(2026, 9, 6), "2026-09-06T04:00", 23),
        ("Asia/Kathmandu", dt.date(2026, 3, 29), "2026-03-28T18:15", 24),
    ],
)
async def test_days_of_another_length(store: Store, zone: str, day: dt.date, start: str, hours: int) -> None:
    """The days on which clocks change have 23 or 25 hours, and each moment of them counts there, once."""
    begins, second = dt.datetime.fromisoformat(start + "Z"), dt.timedelta(seconds=1)
    ends = begins + dt.timedelta(hours=hours)
    for moment in (begins - second, begins, ends - second, ends):
        await record(store, failure(f"a{moment.timestamp():.0f}@wp.pl", at=moment))
    query = Query(day - DAY, day + DAY, By.DAY, zoneinfo.ZoneInfo(zone))
    found = await compile_report(store.figures, query)
    assert [each.counts.failed for each in found.lines] == [1, 2, 1]


async def test_refusals(store: Store) -> None:
    """They are read whole, in pieces, and only those that are asked for."""
    named = [failure(f"a{number}@wp.pl", campaign="lato") for number in range(5)]
    await record(store, *named, failure("b@wp.pl"), failure("c@onet.pl", campaign="lato"))
    query = Query(TODAY, TODAY, campaign="lato", provider="wp.pl")
    found = [each.address_key async for each in refusals(store.figures, query)]
    assert sorted(found) == [f"a{number}@wp.pl" for number in range(5)]


async def test_untied_reports(store: Store) -> None:
    """What nothing ties to our mail is in no figure, and how much it was is said."""
    await record(store, failure("a@wp.pl", trust=Trust.NONE), failure("b@wp.pl", trust=Trust.PLAUSIBLE))
    found = await report(store)
    assert found.total.counts.failed == 1
    assert remarks(found)[Remark.UNTIED] == "1"


async def test_days_whose_events_are_gone(store: Store, clock: Clock) -> None:
    """Days beyond the events' retention still have the counts that are kept for good."""
    old = NOON - 500 * DAY
    clock.now = old
    await record(store, failure("a@wp.pl", at=old))
    clock.now = NOON
    await record(store, failure("b@wp.pl"))
    await store.purge(NOON, Retention())
    for by in (By.DAY, By.CATEGORY):
        assert (await report(store, by, days=501)).total.counts.hard == 2
    found = await report(store, By.PROVIDER, days=501)
    assert found.total.counts.hard == 1
    assert remarks(found)[Remark.EVENTS_SINCE] == TODAY.isoformat()


async def test_wordings(store: Store) -> None:
    """The servers' own words of a reason, the most frequent first, also of one campaign alone."""
    full = {"category": Category.MAILBOX_FULL, "template": "552 full", "diagnostic": "552 full <b@wp.pl>"}
    await record(
        store,
        failure("a@wp.pl"),
        failure("b@wp.pl", **full, campaign="lato"),
        failure("c@wp.pl", **full),
        failure("d@wp.pl", Category.MAILBOX_FULL, template="other", diagnostic="other", campaign="lato"),
    )
    query = Query(TODAY, TODAY, category=Category.MAILBOX_FULL)
    found = await wordings(store.figures, query, 10)
    assert [(each.n, each.template, each.diagnostic) for each in found] == [
        (2, "552 full", "552 full <b@wp.pl>"),
        (1, "other", "other"),
    ]
    assert len(await wordings(store.figures, query, 1)) == 1
    query = Query(TODAY, TODAY, category=Category.MAILBOX_FULL, campaign="lato")
    assert [each.n for each in await wordings(store.figures, query, 10)] == [1, 1]

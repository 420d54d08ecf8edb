"""Making a report of what the store has."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from typing import Final

from bouncemilter import domain
from bouncemilter.figures.campaigns import Campaigns
from bouncemilter.figures.query import By, Query
from bouncemilter.figures.report import Line, Remark, Report, Words, total
from bouncemilter.model import Kind
from bouncemilter.store.figures import Column, Failures, Figures, SentCount, Wanted

_DAY: Final = dt.timedelta(days=1)
_COLUMNS: Final[dict[By, tuple[Column, ...]]] = {
    By.CAMPAIGN: (Column.CAMPAIGN,),
    By.LIST: (Column.LIST_ID,),
    By.PROVIDER: (Column.DOMAIN,),
    By.MESSAGE: (Column.SUBJECT,),
    By.STREAM: (Column.CAMPAIGN, Column.LIST_ID, Column.SENDER_DOMAIN),
}
_SENT: Final[dict[By, str]] = {
    By.DAY: "day",
    By.CAMPAIGN: "campaign",
    By.LIST: "list_id",
    By.PROVIDER: "provider",
    By.STREAM: "stream",
}
"""The column of sent mail that has the same lines."""


async def compile_report(source: Figures, query: Query) -> Report:
    """The report that `query` asks for. StoreUnavailable while the database can't be used."""
    return await _Compiler(source, query).run()


async def wordings(source: Figures, query: Query, limit: int) -> list[Words]:
    """What servers said, the most frequent wording first: of the query's category, or of all."""
    columns = {Column.TEMPLATE} | ({Column.CAMPAIGN} if query.campaign else set())
    campaigns = Campaigns(await source.campaigns() if query.campaign else ())
    found: dict[tuple[object, str], Words] = {}
    for row in await source.failures(_wanted(query, query.first, query.last), columns):
        if row.kind not in (Kind.BOUNCE, Kind.DELAYED) or row.last is None or not _belongs(row, query, campaigns):
            continue
        key = row.category, row.template
        before = found.get(key)
        n, last = (before.n, before.last) if before else (0, row.last)
        found[key] = Words(n + row.n, row.category, row.template, row.diagnostic, max(last, row.last))
    return sorted(found.values(), key=lambda each: (-each.n, each.template))[:limit]


@dataclass(frozen=True, slots=True)
class _Span:
    """A time of which all failures are of one day, or none is asked for."""

    wanted: Wanted
    day: str
    measured: bool
    """Whether sent mail is recorded of it."""


class _Compiler:
    def __init__(self, source: Figures, query: Query) -> None:
        self._source = source
        self._query = query
        self._lines: defaultdict[str, Line] = defaultdict(lambda: Line(""))
        self._remarks: list[tuple[Remark, str]] = []
        self._unknown_stream = 0

    async def run(self) -> Report:
        query = self._query
        needed = query.campaign or query.by in (By.CAMPAIGN, By.STREAM)
        self._campaigns = Campaigns(await self._source.campaigns() if needed else ())
        self._since = await self._source.sent_since()
        self._sent = await self._read_sent()
        self._streams = _Streams(self._sent)
        if query.by is By.DAY:
            for day in query.days():
                self._lines[day.isoformat()] = Line(day.isoformat())
        async for span, row in self._failures():
            if _belongs(row, query, self._campaigns):
                self._count(span, row)
        await self._count_old()
        whole = self._share_out()
        lines = [replace(line, name=name) for name, line in self._lines.items() if name or _says_something(line)]
        if query.by is not By.DAY:
            lines.sort(key=lambda line: (-line.counts.failed, -(line.sent or 0), line.name))
        sum_ = total(lines, whole)
        await self._remark([*lines, sum_], sum_)
        return Report(query, tuple(lines), sum_, tuple(self._remarks))

    async def _failures(self) -> AsyncIterator[tuple[_Span, Failures]]:
        columns = {*_COLUMNS.get(self._query.by, ())}
        if self._query.campaign:
            columns.add(Column.CAMPAIGN)
        for span in self._spans():
            for row in await self._source.failures(span.wanted, columns):
                yield span, row

    def _spans(self) -> Iterable[_Span]:
        query = self._query
        recorded = dt.datetime.combine(self._since, dt.time(), dt.UTC) if self._since else None
        if query.by is By.DAY:
            for day in query.days():
                wanted = _wanted(query, day, day)
                yield _Span(wanted, day.isoformat(), measured=recorded is not None and wanted.end > recorded)
            return
        whole = _wanted(query, query.first, query.last)
        if recorded is None or not whole.start < recorded < whole.end:
            yield _Span(whole, "", measured=recorded is not None and recorded <= whole.start)
            return
        yield _Span(replace(whole, end=recorded), "", measured=False)
        yield _Span(replace(whole, start=recorded), "", measured=True)

    def _count(self, span: _Span, row: Failures) -> None:
        line = self._lines[span.day or self._name(row)]
        line.counts.add(row.kind, row.category, row.n)
        if span.measured and row.kind is Kind.BOUNCE:
            line.measured += row.n

    def _name(self, row: Failures) -> str:
        by = self._query.by
        if by in (By.CAMPAIGN, By.STREAM):
            campaign = self._campaigns.name(row.campaign, row.return_path)
            return self._stream(campaign, row) if by is By.STREAM else campaign
        if by is By.PROVIDER:
            return domain.registrable(row.domain) if row.domain else ""
        if by is By.CATEGORY:
            return str(row.category or row.kind)
        return row.list_id if by is By.LIST else row.subject

    def _stream(self, campaign: str, row: Failures) -> str:
        name = self._streams.name(campaign, row)
        if not name and row.kind is Kind.BOUNCE:
            self._unknown_stream += row.n
        return name

    async def _count_old(self) -> None:
        """Days whose events are deleted still have their counts."""
        query = self._query
        oldest = await self._source.events_since()
        end = oldest.date() if oldest else query.last + _DAY
        if query.first >= end:
            return
        if query.filtered or query.by not in (By.DAY, By.CATEGORY) or query.zone is not dt.UTC:
            if oldest and await self._source.daily(query.first, min(query.last, end - _DAY)):
                self._remarks.append((Remark.EVENTS_SINCE, end.isoformat()))
            return
        for day, row in await self._source.daily(query.first, min(query.last, end - _DAY)):
            if self._query.by is By.CATEGORY and row.kind in (Kind.MAIL, Kind.REPORT, Kind.CHALLENGE):
                continue
            measured = self._since is not None and day >= self._since
            self._count(_Span(_wanted(query, day, day), day.isoformat() if query.by is By.DAY else "", measured), row)

    async def _read_sent(self) -> list[SentCount]:
        query = self._query
        columns = {_SENT[query.by]} if query.by in _SENT else set()
        columns |= {"campaign"} if query.campaign else set()
        columns |= {"list_id"} if query.list_id else set()
        columns |= {"provider"} if query.provider else set()
        if query.by is By.STREAM:
            columns |= {"campaign", "list_id", "sender_domain"}
        found = await self._source.sent(query.first, query.last, sorted(columns))
        return [
            each
            for each in found
            if (not query.campaign or each.campaign == query.campaign)
            and (not query.list_id or each.list_id == query.list_id.lower())
            and (not query.provider or each.provider == query.provider)
        ]

    def _share_out(self) -> int | None:
        """Give each line what was sent; the sum of it, None where nothing was."""
        whole = sum(each.n for each in self._sent) or None
        column = _SENT.get(self._query.by)
        if column:
            for each in self._sent:
                value = getattr(each, column)
                line = self._lines[value.isoformat() if isinstance(value, dt.date) else value]
                line.sent = (line.sent or 0) + each.n
        elif self._query.by is By.CATEGORY:
            for line in self._lines.values():
                line.sent = whole
        return whole

    async def _remark(self, lines: list[Line], whole: Line) -> None:
        query, remarks = self._query, self._remarks
        if whole.sent is None:
            remarks.append((Remark.NO_SENT, ""))
        elif self._since and self._since > query.first:
            remarks.append((Remark.SENT_SINCE, self._since.isoformat()))
        if query.by is By.MESSAGE and whole.sent:
            remarks.append((Remark.NO_SHARE, ""))
        if query.by is By.DAY and query.zone is not dt.UTC and whole.sent:
            remarks.append((Remark.UTC_SENT, ""))
        if any(line.sent and line.rate is None for line in lines):
            remarks.append((Remark.MORE_THAN_SENT, ""))
        if self._unknown_stream:
            remarks.append((Remark.SAME_STREAM, str(self._unknown_stream)))
        if not query.filtered and (untied := await self._source.untied(query.first, query.last)):
            remarks.append((Remark.UNTIED, str(untied)))


class _Streams:
    """Which stream a returned message left by, where campaign, list or sender tell."""

    def __init__(self, sent: Iterable[SentCount]) -> None:
        self._known: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for each in sent:
            for kind, value in (
                ("campaign", each.campaign),
                ("list", each.list_id),
                ("sender", each.sender_domain),
            ):
                if value:
                    self._known[kind, value].add(each.stream)

    def name(self, campaign: str, row: Failures) -> str:
        """The one stream that it can have left by; empty where there are several or none."""
        for key in (("campaign", campaign), ("list", row.list_id), ("sender", row.sender_domain)):
            found = self._known.get(key, set())
            if len(found) == 1:
                return next(iter(found))
        return ""


def _wanted(query: Query, first: dt.date, last: dt.date) -> Wanted:
    return Wanted(
        query.midnight(first),
        query.midnight(last + _DAY),
        list_id=query.list_id,
        provider=query.provider,
        category=query.category,
        campaign=query.campaign,
    )


def _belongs(row: Failures, query: Query, campaigns: Campaigns) -> bool:
    return not query.campaign or campaigns.name(row.campaign, row.return_path) == query.campaign


def _says_something(line: Line) -> bool:
    return bool(line.sent) or any(getattr(line.counts, name) for name in line.counts.__slots__)

"""Making a report of what the store has."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from typing import Final

from bouncemilter import domain
from bouncemilter.model import Category, Event, Kind
from bouncemilter.model.sent import NAME_LENGTH, OTHER
from bouncemilter.statistics.campaigns import Campaigns
from bouncemilter.statistics.query import By, Query
from bouncemilter.statistics.report import Line, Remark, Report, Wording, total
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


async def wordings(source: Figures, query: Query, limit: int | None = None) -> list[Wording]:
    """What servers said, the most frequent wording first, at most `limit`: of the query's category, or of all."""
    columns = {Column.TEMPLATE} | ({Column.CAMPAIGN} if query.campaign else set())
    campaigns = Campaigns(await source.campaigns() if query.campaign else ())
    found: dict[tuple[object, str], Wording] = {}
    for row in await source.failures(_wanted(query), columns):
        if row.kind not in (Kind.BOUNCE, Kind.DELAYED) or row.last is None or not _belongs(row, query, campaigns):
            continue
        key = row.category, row.template
        before = found.get(key)
        n, last = (before.n, before.last) if before else (0, row.last)
        found[key] = Wording(n + row.n, row.category, row.template, row.diagnostic, max(last, row.last))
    return sorted(found.values(), key=lambda each: (-each.n, each.template))[:limit]


async def refusals(source: Figures, query: Query) -> AsyncIterator[Event]:
    """The failures and delays that `query` asks for, one by one, by id."""
    campaigns = Campaigns(await source.campaigns() if query.campaign else ())
    wanted, after = _wanted(query), ""
    while piece := await source.events(wanted, after):
        for event in (each.event for each in piece):
            if _is_of(query, campaigns, event.returned.campaign, event.envelope_recipient):
                yield event
        after = piece[-1].event.id


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the time."""

    day: dt.date | None
    """Of the report's zone; None where it is not asked for."""
    sent_day: dt.date | None
    """The UTC day, where it is asked for and its sent mail is recorded. Only what fails then is in a rate."""


class _Compiler:
    def __init__(self, source: Figures, query: Query) -> None:
        self._source = source
        self._query = query
        self._lines: defaultdict[str, Line] = defaultdict(lambda: Line(""))
        self._remarks: list[tuple[Remark, str]] = []

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
        await self._count_failures()
        await self._count_old()
        sent = self._share_out()
        lines = [self._finished(name, line) for name, line in self._lines.items()]
        sum_ = total(lines, sent, whole=query.category is None)
        if query.by is not By.DAY:
            lines = [line for line in lines if _says_something(line)]
            lines.sort(key=lambda line: (-line.counts.failed, -(line.sent or 0), line.name))
        await self._remark(lines, sum_)
        return Report(query, tuple(lines), sum_, tuple(self._remarks))

    def _finished(self, name: str, line: Line) -> Line:
        by = self._query.by
        alike = by in (By.DAY, By.CATEGORY) or name not in ("", OTHER)
        return replace(line, name=name, alike=alike, whole=self._query.category is None and by is not By.CATEGORY)

    async def _count_failures(self) -> None:
        query = self._query
        columns = {*_COLUMNS.get(query.by, ())}
        if query.campaign:
            columns.add(Column.CAMPAIGN)
        edges = self._edges()
        wanted = replace(_wanted(query), start=edges[0], end=edges[-1], cuts=tuple(edges[1:-1]))
        pieces = [self._piece(edge) for edge in edges[:-1]]
        for row in await self._source.failures(wanted, columns):
            if _belongs(row, query, self._campaigns):
                self._count(pieces[row.piece], row)

    def _edges(self) -> list[dt.datetime]:
        """Where pieces begin, and the last one's end: the report's days, and the UTC days that sent mail has."""
        query = self._query
        found: set[dt.datetime] = set()
        for each in (query, replace(query, zone=dt.UTC)):
            found |= {each.start, each.end}
            if query.by is By.DAY:
                found |= {each.midnight(day) for day in each.days()}
        if self._since and query.first < self._since <= query.last:
            found.add(dt.datetime.combine(self._since, dt.time(), dt.UTC))
        return sorted(found)

    def _piece(self, start: dt.datetime) -> _Piece:
        query = self._query
        day, utc_day = start.astimezone(query.zone).date(), start.date()
        recorded = self._since is not None and self._since <= utc_day and query.first <= utc_day <= query.last
        return _Piece(day if query.start <= start < query.end else None, utc_day if recorded else None)

    def _count(self, piece: _Piece, row: Failures) -> None:
        by_day = self._query.by is By.DAY
        if piece.day:
            self._lines[piece.day.isoformat() if by_day else self._name(row)].counts.add(row.kind, row.category, row.n)
        if piece.sent_day and row.kind is Kind.BOUNCE:
            self._lines[piece.sent_day.isoformat() if by_day else self._name(row)].measured += row.n

    def _name(self, row: Failures) -> str:
        by = self._query.by
        if by in (By.CAMPAIGN, By.STREAM):
            campaign = self._campaigns.name(row.campaign, row.return_path)
            return self._streams.name(campaign, row) if by is By.STREAM else campaign
        if by is By.PROVIDER:
            return domain.registrable(row.domain) if row.domain else ""
        if by is By.CATEGORY:
            return str(row.category or row.kind)
        return row.list_id if by is By.LIST else row.subject

    async def _count_old(self) -> None:
        """Days whose events are deleted still have their counts."""
        query = self._query
        oldest = await self._source.events_since()
        end = oldest.date() if oldest else query.last + _DAY
        if query.first >= end:
            return
        daily = await self._source.daily(query.first, min(query.last, end - _DAY))
        if query.filtered or query.by not in (By.DAY, By.CATEGORY) or query.zone is not dt.UTC:
            if daily:
                self._remarks.append((Remark.EVENTS_SINCE, end.isoformat()))
            return
        for day, row in daily:
            if query.by is By.CATEGORY and row.kind in (Kind.MAIL, Kind.REPORT, Kind.CHALLENGE):
                continue
            self._count(_Piece(day, day if self._since and day >= self._since else None), row)

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
            if (not query.campaign or each.campaign == query.campaign[:NAME_LENGTH])
            and (not query.list_id or each.list_id == query.list_id.lower()[:NAME_LENGTH])
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
            for name, line in self._lines.items():
                line.sent = whole if name in _CATEGORIES else None
        return whole

    async def _remark(self, lines: list[Line], whole: Line) -> None:
        query, remarks = self._query, self._remarks
        if whole.sent is None:
            remarks.append((Remark.NO_SENT, ""))
        elif self._since and self._since > query.first:
            remarks.append((Remark.SENT_SINCE, self._since.isoformat()))
        if query.by is By.MESSAGE and whole.sent:
            remarks.append((Remark.NO_SHARE, ""))
        if query.zone is not dt.UTC and whole.sent:
            remarks.append((Remark.UTC_SENT, ""))
        if any(line.overfull for line in (*lines, whole)):
            remarks.append((Remark.MORE_THAN_SENT, ""))
        unnamed = next((line.counts.failed for line in lines if not line.name), 0)
        if unnamed and query.by is By.STREAM:
            remarks.append((Remark.SAME_STREAM, str(unnamed)))
        if unnamed and query.by in (By.CAMPAIGN, By.LIST) and whole.sent:
            remarks.append((Remark.UNNAMED, str(unnamed)))
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


def _wanted(query: Query) -> Wanted:
    return Wanted(
        query.start,
        query.end,
        list_id=query.list_id,
        provider=query.provider,
        category=query.category,
        campaign=query.campaign[:NAME_LENGTH],
    )


def _belongs(row: Failures, query: Query, campaigns: Campaigns) -> bool:
    return _is_of(query, campaigns, row.campaign, row.return_path)


def _is_of(query: Query, campaigns: Campaigns, header: str, return_path: str) -> bool:
    wanted = query.campaign[:NAME_LENGTH]
    return not wanted or campaigns.name(header, return_path) == wanted


def _says_something(line: Line) -> bool:
    return bool(line.sent) or any(getattr(line.counts, name) for name in line.counts.__slots__)


_CATEGORIES: Final = frozenset(Category)

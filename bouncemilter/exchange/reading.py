"""Reading a list: its format found, each row told."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from bouncemilter.exchange import own, table
from bouncemilter.exchange.providers import PROVIDERS
from bouncemilter.exchange.record import Bad, Entry, Format, Skip
from bouncemilter.lists import ListError, ListOptions, Source

_OWN: Final = frozenset({"address", "cause", "scope"})
_SAMPLE: Final = 200
"""Rows of JSON that are looked at for the column of the addresses."""
FORMATS: Final = ("auto", "csv", "jsonl", "ses", "sendgrid", "mailgun", "postmark", "mailchimp", "listmonk", "plain")


@dataclass(frozen=True, slots=True)
class Reading:
    """A list that is being read."""

    format: str
    unit: str
    """What the numbers count: `line`, `row` or `item`."""
    rows: Iterator[tuple[int, Entry | Skip | Bad]]
    """ListError where the file is broken further down."""
    partial: bool = False
    """The file says itself that it is one page of many."""


def read(source: Source, wanted: str = "auto", options: ListOptions = ListOptions()) -> Reading:  # noqa: B008  (frozen)
    """A list in one of FORMATS. The name of the file tells what a list holds whose columns don't. ListError."""
    name = source.path.name.lower()
    found = table.plain(source, options) if wanted == "plain" else table.read(source, options)
    chosen = _format(wanted, found, name)
    if chosen is None:
        form = wanted if wanted != "auto" else "csv" if found.columns else "plain"
        return _generic(form, found)
    if options.column:
        raise ListError(f"{source.path}: a list of format {chosen.name} says itself which column holds the addresses")
    return _by(chosen, found, name)


def _format(wanted: str, found: table.Table, name: str) -> Format | None:
    """The format of a list; None where it is nobody's."""
    if wanted in ("auto", "csv", "jsonl") and found.columns >= _OWN:
        return _own("jsonl" if found.is_json else "csv", found) if wanted == "auto" else _own(wanted, found)
    if wanted == "auto":
        return next((each for each in PROVIDERS if each.matches(found.columns, name)), None)
    return next((each for each in PROVIDERS if each.name == wanted), None)


def _own(name: str, found: table.Table) -> Format:
    return Format(name, lambda *_: True, own.read_own_json if found.is_json else own.read_own)


def _by(chosen: Format, found: table.Table, name: str) -> Reading:
    def rows() -> Iterator[tuple[int, Entry | Skip | Bad]]:
        for number, record in found.rows:
            yield number, record if isinstance(record, Bad) else chosen.read(record, name)

    return Reading(chosen.name, found.unit, rows(), found.partial)


def _generic(name: str, found: table.Table) -> Reading:
    head = list(itertools.islice(found.rows, _SAMPLE))
    records = [record for _, record in head if not isinstance(record, Bad)]
    columns = found.columns or dict.fromkeys(column for record in records for column in record)
    read_row = partial(own.read_any, column=found.address_column(records), times=own.time_columns(columns))

    def rows() -> Iterator[tuple[int, Entry | Skip | Bad]]:
        for number, record in itertools.chain(head, found.rows):
            yield number, record if isinstance(record, Bad) else read_row(record)

    return Reading(name, found.unit, rows(), found.partial)

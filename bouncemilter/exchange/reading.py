"""Reading a list: its format found, each row told."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from bouncemilter.exchange import own, table
from bouncemilter.exchange.providers import PROVIDERS
from bouncemilter.exchange.record import Bad, Entry, Format, ListError, Skip

_OWN: Final = frozenset({"address", "cause", "scope"})
_SAMPLE: Final = 200
"""Rows that are looked at for the column of the addresses."""
FORMATS: Final = ("auto", "csv", "jsonl", "ses", "sendgrid", "mailgun", "postmark", "mailchimp", "listmonk", "plain")


@dataclass(frozen=True, slots=True)
class Reading:
    """A list that is being read."""

    format: str
    unit: str
    """What the numbers count: `line` or `item`."""
    rows: Iterator[tuple[int, Entry | Skip | Bad]]
    """ListError where the file is broken further down."""
    partial: bool = False
    """The file says itself that it is one page of many."""


def read(data: bytes, file_name: str, wanted: str = "auto") -> Reading:
    """A list in one of FORMATS. `file_name` tells what a list holds whose columns don't. ListError."""
    name = file_name.rpartition("/")[2].lower()
    if wanted == "plain":
        return _generic("plain", table.plain(table.decode(data)))
    found = table.read(data)
    if wanted == "auto":
        chosen = next((each for each in PROVIDERS if each.matches(found.columns, name)), None)
        if found.columns >= _OWN:
            chosen = _own("jsonl" if found.is_json else "csv", found)
        return _by(chosen, found, name) if chosen else _generic("csv" if found.columns else "plain", found)
    if wanted in ("csv", "jsonl"):
        return _by(_own(wanted, found), found, name) if found.columns >= _OWN else _generic(wanted, found)
    return _by(next(each for each in PROVIDERS if each.name == wanted), found, name)


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
    columns = list(dict.fromkeys(column for record in records for column in record))
    read_row = partial(
        own.read_any, column=table.address_column(columns, records), times=own.time_columns(found.columns or columns)
    )

    def rows() -> Iterator[tuple[int, Entry | Skip | Bad]]:
        for number, record in itertools.chain(head, found.rows):
            yield number, record if isinstance(record, Bad) else read_row(record)

    return Reading(name, found.unit, rows(), found.partial)


__all__ = ["FORMATS", "ListError", "Reading", "read"]

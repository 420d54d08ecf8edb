"""Which column of a list holds the addresses, and whether the first record names the columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bouncemilter import text
from bouncemilter.lists.cell import addresses
from bouncemilter.lists.errors import ListError

_NAMED: Final = re.compile(r"mail|adres|e-?post|correo|address|recipient|odbiorc|poczt", re.IGNORECASE)
_MOST: Final = 0.5
"""So much of what stands in the column must be addresses; where its name says that it is one, any."""
_SHOWN: Final = 12
"""Columns that an error names."""
_LONGEST: Final = 60
"""Characters of a name there."""


@dataclass(frozen=True, slots=True)
class ListOptions:
    """What the operator says about a list; what he leaves open is found out."""

    column: str = ""
    """A name of the header, or a number from 1 on."""
    header: bool | None = None
    """Whether the first record names the columns."""
    encoding: str = ""
    """A codec of layout.Layout.encoding."""
    delimiter: str | None = None
    """Empty: there is one column."""
    sheet: str = ""
    """Of a workbook."""


def candidates(records: Sequence[Sequence[str]], header: Sequence[str]) -> list[int]:
    """The places (from 0) of the columns that hold addresses. `records`: without the header."""
    width = max(map(len, records), default=0)
    found = []
    for place in range(max(width, len(header))):
        cells = [stripped for record in records if place < len(record) and (stripped := record[place].strip())]
        hits = sum(1 for cell in cells if addresses(cell))
        named = place < len(header) and _NAMED.search(header[place]) is not None
        if (hits and (hits >= _MOST * len(cells) or named)) or (
            named and not records and "mail" in header[place].lower()
        ):
            found.append(place)
    return found


def has_header(records: Sequence[Sequence[str]]) -> bool:
    """Whether the first record names the columns: it has no address, and is no lone word that doesn't say so."""
    first = records[0] if records else []
    if not any(cell.strip() for cell in first) or any("@" in cell for cell in first):
        return False
    return sum(1 for cell in first if cell.strip()) > 1 or any(_NAMED.search(cell) for cell in first)


def heading(records: Sequence[Sequence[str]], options: ListOptions) -> tuple[tuple[str, ...], bool]:
    """The names of the columns, and whether there is a header."""
    header = has_header(records) if options.header is None else options.header
    return tuple(text.unhidden(cell).strip() for cell in records[0]) if header and records else (), header


def choose(
    records: Sequence[Sequence[str]], options: ListOptions, where: str, looked_at: str
) -> tuple[int, tuple[str, ...], bool]:
    """Place (from 0) of the address column, the names of the columns, and whether there is a header.

    `where`: the file, for errors. `looked_at`: what it was taken for. ListError where it can't be told.
    """
    names, header = heading(records, options)
    body = records[1:] if header else records
    if options.column:
        return _wished(options.column, names, max(map(len, records), default=0), where), names, header
    found = candidates(body, names)
    if len(found) == 1:
        return found[0], names, header
    if not found:
        shown = f": {_listed(range(len(names)), names)}" if names else ""
        raise ListError(f"{where}: no column of e-mail addresses in the first {len(body)} records ({looked_at}{shown})")
    raise ListError(
        f"{where}: several columns hold addresses: {_listed(found, names)}; choose one by --column NAME or NUMBER"
    )


def _wished(column: str, names: Sequence[str], width: int, where: str) -> int:
    wanted = column.strip()
    same = [place for place, name in enumerate(names) if name == wanted]
    same = same or [place for place, name in enumerate(names) if name.lower() == wanted.lower()]
    if len(same) == 1:
        return same[0]
    if len(same) > 1:
        raise ListError(f"{where}: several columns are named {wanted}; give the number")
    if wanted.isdecimal() and 1 <= int(wanted) <= max(width, 1):
        return int(wanted) - 1
    there = _listed(range(len(names)), names) if names else f"{width} without names"
    raise ListError(f"{where}: no column {wanted} (there are: {there})")


def _listed(places: Sequence[int] | range, names: Sequence[str]) -> str:
    shown = [f"{place + 1} {_shown(names[place]) if place < len(names) else ''}".strip() for place in places[:_SHOWN]]
    return ", ".join(shown) + (" …" if len(places) > _SHOWN else "")


def _shown(name: str) -> str:
    return "".join(char if char.isprintable() else " " for char in name[:_LONGEST])

"""Where addresses stand in the evidence of others, and how that evidence reads without them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final
from urllib.parse import quote

import idna
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.store.schema import events, import_batches, incidents, suppression_changes, suppressions

INSTEAD: Final = "[forgotten]"
"""What stands for an address that was taken out."""
TEXTS: Final[dict[sa.Table, tuple[str, ...]]] = {
    events: (
        "envelope_recipient",
        "envelope_sender",
        "reported_address",
        "template",
        "diagnostic",
        "reason",
        "message_key",
        "returned_message_id",
        "returned_sender",
        "returned_to",
        "returned_subject",
        "returned_list_id",
        "returned_campaign",
        "returned_return_path",
        "report_message_id",
        "excerpt",
        "new_address",
    ),
    suppressions: ("note", "template", "diagnostic", "message_key", "reason"),
    suppression_changes: ("note",),
    incidents: ("template", "reason", "note"),
    import_batches: ("file_name",),
}
"""The columns that may name an address that the row is not about."""
_ENDS: Final = r"(?![\w-]|\.(?!(?:csv|tsv|txt|xlsx|json|jsonl)\b)\w)"
"""A domain goes no further; but it may be a file's name, of a list that somebody has sent."""
_RUN: Final = re.compile(r"[a-z0-9._-]+")


class Name:
    """One address (address.key), in all the forms in which texts have it.

    As written, quoted, or with its domain in Unicode; as a return path of ours or of others holds it (`jan=wp.pl`,
    BATV, SRS); in a link (`jan%40wp.pl`); for a relay (`jan%wp.pl@…`). Not as the end or the beginning of another one.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        local, _, domain = key.rpartition("@")
        forms = {local, quote(local, safe="")}
        one = "(?:" + "|".join(sorted(map(re.escape, forms), reverse=True)) + ")"
        two = "(?:" + "|".join(sorted(map(re.escape, {domain, _unicode(domain)}))) + ")"
        begins = r"(?:(?<![\w.+-])|(?<=%[0-9a-f][0-9a-f]))"
        self._pattern = re.compile(
            rf'(?:{begins}"?{one}"?(?:@|%40|%)|(?<![\w.]){one}=){two}{_ENDS}|(?<==){two}={one}(?=@)',
            re.IGNORECASE,
        )
        # What every form holds, letter by letter: a look for these is a hundred times as quick as the pattern.
        self._pieces = tuple(
            max(_RUN.findall(part), key=len, default="") for part in (local, "" if "xn--" in domain else domain)
        )

    def without(self, text: str, lower: str) -> str:
        """A text without this address; the same text where it does not name it. `lower`: it in lower case."""
        if all(piece in lower for piece in self._pieces):
            return self._pattern.sub(INSTEAD, text)
        return text


@dataclass(frozen=True, slots=True)
class Mention:
    """A row that names addresses which it is not about."""

    table: sa.Table
    number: Any
    """Its primary key."""
    named: tuple[str, ...]
    """Their keys."""


async def find(connection: AsyncConnection, keys: Sequence[str]) -> AsyncIterator[Mention]:
    """All of them, in one pass over the tables; its time hardly depends on how many `keys` there are."""
    names = [Name(key) for key in keys]
    for table, columns in TEXTS.items():
        # In one value: to read seventeen takes three times as long.
        whole: sa.ColumnElement[str] = sa.literal("")
        for name in columns:
            whole = whole + table.c[name] + "\n"
        whose = table.c.address_key if "address_key" in table.c else sa.literal("")
        async for number, owner, text in await connection.stream(sa.select(primary_key(table), whose, whole)):
            lower = text.lower()
            named = tuple(each.key for each in names if each.key != owner and each.without(text, lower) != text)
            if named:
                yield Mention(table, number, named)


async def blot(connection: AsyncConnection, table: sa.Table, numbers: Sequence[Any], names: Sequence[Name]) -> None:
    """Take `names` out of rows, as these are now, within the transaction of `connection`."""
    number, columns = primary_key(table), TEXTS[table]
    found = sa.select(number, *(table.c[name] for name in columns)).where(number.in_(numbers))
    for row in (await connection.execute(found)).all():
        changed = {}
        for column, text in zip(columns, row[1:], strict=True):
            left = reduce(lambda rest, name: name.without(rest, rest.lower()), names, text)
            if left != text:
                changed[column] = left
        if changed:
            await connection.execute(sa.update(table).where(number == row[0]).values(changed))


def primary_key(table: sa.Table) -> sa.Column[Any]:
    """The one column of a table's primary key."""
    (column,) = table.primary_key.columns
    return column


def _unicode(domain: str) -> str:
    try:
        return idna.decode(domain) if "xn--" in domain else domain
    except (idna.IDNAError, UnicodeError):
        return domain

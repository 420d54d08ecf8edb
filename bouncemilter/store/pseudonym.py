"""What stands in the store for an address that was forgotten: a keyed hash of its key, by which it is found again.

The hash key lies in the store, so that a copy of the store still keeps its blocks. Who has the store can therefore try
out addresses; nobody can read one off it.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bouncemilter.store.schema import secrets, suppressions

PREFIX: Final = "forgotten:"
"""No address key begins so and has no `@`. Alone it stands for suppressions that were over by then."""
_BEYOND: Final = "forgotten;"
_OCTETS: Final = 16
SECRET: Final = "pseudonym"  # noqa: S105  (a name)
"""Its row in the table `secrets`; made by a migration."""


def pseudonym(secret: bytes, address_key: str) -> str:
    """The pseudonym of an address (address.key). Takes about a microsecond."""
    octets = address_key.encode("utf-8", "surrogatepass")
    return PREFIX + blake2b(octets, digest_size=_OCTETS, key=secret).hexdigest()


async def pseudonyms(connection: AsyncConnection, keys: Iterable[str]) -> dict[str, str]:
    """Address keys by their pseudonyms; empty where nobody was forgotten, so that it costs nothing."""
    if (await connection.execute(_ANY)).first() is None:
        return {}
    secret = (await connection.execute(sa.select(secrets.c.value).where(secrets.c.name == SECRET))).scalar_one()
    return {pseudonym(secret, key): key for key in keys}


def is_pseudonym(address_key: str) -> bool:
    """Whether a key stands for an address that was forgotten."""
    return address_key.startswith(PREFIX) and "@" not in address_key


def among(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The condition that a column holds a pseudonym. Keys such as `forgotten:x@example.pl` sort among them."""
    return (column >= PREFIX) & (column < _BEYOND) & column.not_like("%@%")


def forgotten(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The same, of those that are still found: in force, or were so until they expired."""
    return among(column) & (column != PREFIX)


_ANY: Final = sa.select(suppressions.c.id).where(forgotten(suppressions.c.address_key)).limit(1)

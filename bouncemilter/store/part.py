"""What the parts of the store are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from contextlib import AbstractAsyncContextManager

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bouncemilter.store.writer import Writer


class Part:
    """Reads by connections of its own, and writes by the store's one writer."""

    def __init__(
        self,
        writer: Writer,
        read: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._writer = writer
        self._read = read
        self._clock = clock


class ReadingPart:
    """Reads suppressions, and finds those of a forgotten address by the pseudonym of its key."""

    def __init__(
        self,
        read: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
        clock: Callable[[], dt.datetime],
        pseudonym: Callable[[str], str],
    ) -> None:
        self._read = read
        self._clock = clock
        self._pseudonym = pseudonym

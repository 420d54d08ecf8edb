"""A store for figures, with a clock of the test's."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bouncemilter.store import Store
from tests.statistics.mailing import NOON


class Clock:
    """Now, as the test says."""

    now = NOON

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncIterator[Store]:
    async with await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'bouncemilter.db'}", clock=clock) as store:
        yield store

"""A site with a store of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bouncemilter.store import Store
from tests.pipeline.site import Site


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}", busy_timeout=0.05) as opened:
        yield opened


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store)

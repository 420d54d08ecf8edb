"""A mailbox in a folder, and passes through it with a real pipeline and store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bouncemilter.fronts.mailbox import MailboxOptions, SourceKind, Summary
from bouncemilter.fronts.mailbox.poll import Poll, PollOptions
from bouncemilter.store import Store
from tests.pipeline.site import Site


class Reader:
    """A site, and what a pass through a mailbox makes of it."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.state = folder / "state"
        self.state.mkdir()
        self.site = Site(store)
        self.polls: list[Poll] = []

    async def read(
        self, kind: SourceKind, path: Path | str, wanted: PollOptions | None = None, **options: Any
    ) -> Summary:
        """Go through it once."""
        mailbox = MailboxOptions("test", kind, path=str(path), **options)
        self.polls.append(Poll(mailbox, self.site.pipeline, self.state, wanted or PollOptions()))
        return await self.polls[-1].run()


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[Reader]:
    async with await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}", busy_timeout=0.05) as store:
        yield Reader(tmp_path, store)


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    """An empty Maildir."""
    for name in ("cur", "new", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    return tmp_path / "Maildir"

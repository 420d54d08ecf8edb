"""A configuration with a store of its own, and commands run on it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner, Result

from bouncemilter.cli import main
from bouncemilter.store import Store
from tests.pipeline.site import NOON, Site, verp
from tests.rig import mail

T = TypeVar("T")


class Home:
    """What an operator has: a configuration, a state folder and a terminal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir(exist_ok=True)
        self.config = folder / "bouncemilter.toml"
        self.config.write_text(
            f'state_directory = "{self.state}"\n[store]\nbusy_timeout_s = 0.05\n[policy]\npreset = "standard"\n'
            '[[return_path]]\ndomain = "bounces.own.test"\nprefix = "b"\nsender_domains = ["own.test"]\n'
        )

    def run(self, *arguments: str, stdin: bytes | None = None) -> Result:
        """Run a command with this configuration."""
        done = CliRunner().invoke(main, [*arguments, "--config", str(self.config)], stdin, catch_exceptions=False)
        # What a terminal gets holds no controls but line ends.
        assert all(char == "\n" or char.isprintable() for char in done.stdout + done.stderr), done.output
        return done

    def objects(self, *arguments: str) -> list[dict[str, Any]]:
        """The JSON objects that a command prints, one a line."""
        return [json.loads(line) for line in self.run(*arguments, "--json").stdout.splitlines()]

    def store(self, work: Callable[[Store], Awaitable[T]]) -> T:
        """Do something with the store as the daemon would."""

        async def run() -> T:
            async with await Store.open(f"sqlite+aiosqlite:///{self.state / 'bouncemilter.db'}") as store:
                return await work(store)

        return asyncio.run(run())

    def bounce(self, address: str, said: str = mail.UNKNOWN, *, times: int = 1, **envelope: Any) -> None:
        """Let mail to `address` bounce, each time another one, today."""

        async def deliver(store: Store) -> None:
            site = Site(store)
            today = (dt.datetime.now(dt.UTC) - NOON) / dt.timedelta(days=1)
            for number in range(times):
                report = mail.dsn(verp(address), address, said)
                await site.deliver(report, verp(address), days=today - (times - number) / 1000, **envelope)

        self.store(deliver)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)

"""The daemon and the commands at once, on one store."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from click.testing import CliRunner, Result

from bouncemilter.cli import main
from tests.daemon.conftest import Host, Manager, running
from tests.rig import mail

JAN = "jan@klient.test"
OURS = "b+jan=klient.test@bounces.own.test"


async def run(host: Host, *arguments: str) -> Result:
    """A command, beside the daemon's loop."""
    invoke: Any = CliRunner().invoke
    return await asyncio.to_thread(invoke, main, [*arguments, "--config", str(host.config)], catch_exceptions=False)


async def test_fresh(host: Host, manager: Manager) -> None:
    """What the daemon has answered the commands know; what they change the daemon goes by at the next message."""
    async with running(host, manager):
        for code in (1, 0):
            assert (await host.deliver(OURS, mail.dsn(OURS, JAN))).startswith("250")
            assert (await run(host, "suppression", "check", JAN)).exit_code == code
        assert (await run(host, "suppression", "add", "ewa@klient.test")).exit_code == 0
        assert await host.metric('bouncemilter_suppressions_active{cause="manual"}') == 1
        assert (await run(host, "suppression", "remove", JAN)).exit_code == 0
        assert await host.metric('bouncemilter_suppressions_active{cause="hard"}') == 0
        await host.deliver(OURS, mail.dsn(OURS, JAN))
        found = json.loads((await run(host, "why", "--json", JAN)).stdout)
    assert found["suppressed"] is False
    assert found["events"][0]["decision"]["watched"] == "1/2"
    assert found["suppressions"][0]["ended_at"] is not None


async def test_hostile_report(host: Host, manager: Manager) -> None:
    """What a stranger writes into a report reaches a terminal harmless, and no label of a figure (F44, F49)."""
    evil = "550 5.1.1 \x1b]0;x\x07[red]\u202e <{}>: user unknown"
    async with running(host, manager):
        await host.deliver(OURS, mail.dsn(OURS, JAN, evil))
        text = (await run(host, "why", JAN)).stdout
        page = (await host.get("/metrics"))[1]
    assert "[red]" in text
    assert all(char == "\n" or char.isprintable() for char in text)
    assert "klient.test" not in page
    assert "red]" not in page

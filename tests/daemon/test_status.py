"""`status` beside a daemon that runs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from click.testing import CliRunner

from bouncemilter.cli import main
from tests.daemon.conftest import Host, Manager, running
from tests.rig import mail

OURS = "b+jan=klient.test@bounces.own.test"


async def findings(host: Host) -> dict[str, dict[str, Any]]:
    arguments = ["status", "--json", "--config", str(host.config)]
    done = await asyncio.to_thread(CliRunner().invoke, main, arguments, catch_exceptions=False)
    # The daemon of this process logs to the same standard output.
    return {each["subject"]: each for each in json.loads(done.stdout.splitlines()[-1])["findings"]}


async def test_running(host: Host, manager: Manager) -> None:
    """A running daemon takes mail, its balances close, its last bounce is told; people's mail in the Maildir, too."""
    host.write(more="[alerts]\ndisk_low_percent = 1\n")
    async with running(host, manager):
        before = await findings(host)
        assert (before["daemon"]["text"], before["last_bounce"]["text"]) == ("takes mail", "none yet")
        assert before["passed_mail"]["well"]
        await host.deliver(OURS, mail.dsn(OURS, "jan@klient.test"))
        await host.deliver(OURS, mail.letter(OURS))
        after = await findings(host)
    assert after["last_bounce"]["text"].endswith(" UTC")
    assert not after["passed_mail"]["well"]
    for subject in ("daemon", "store", "suppressions", "incidents", "blocklists"):
        assert after[subject]["well"], subject

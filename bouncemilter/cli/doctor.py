"""`doctor`: is everything in place, and do the bounces come?"""

from __future__ import annotations

from pathlib import Path

import click

from bouncemilter.cli import configuration, show
from bouncemilter.cli.storage import with_store
from bouncemilter.doctor import plan, runner, view
from bouncemilter.settings import Settings
from bouncemilter.store import Store

_MARKS = {"ok": "ok", "warn": "WARN", "fail": "FAIL"}


@click.command("doctor")
@configuration.option
@click.option("--postfix", "postfix_folder", default="", metavar="FOLDER", help="Another Postfix's configuration.")
@click.option("--no-self-test", is_flag=True, help="Send no bounce through the mail server.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(config: Path, postfix_folder: str, no_self_test: bool, as_json: bool) -> None:
    """Examine this host: sockets, permissions, Postfix, and a self-test bounce by each return path.

    The self-test mail never leaves this host. Exit 0 if nothing failed, 1 otherwise.
    """

    async def examine(store: Store, settings: Settings) -> tuple[runner.Row, ...]:
        async def seen(written: str) -> str | None:
            events = await store.events_of(written, 1)
            return events[0].event.front if events else None

        wanted = None if no_self_test else seen
        return await plan.examine_host(view.host(settings), wanted, config_directory=postfix_folder)

    rows = with_store(config, examine)
    if as_json:
        for row in rows:
            show.json_line(row.to_dict())
    else:
        shown = ((_MARKS[row.finding.level], row.name, row.finding.text, row.finding.remedy) for row in rows)
        show.table(("", "check", "found", "what to do"), shown)
    raise SystemExit(runner.exit_code(rows))

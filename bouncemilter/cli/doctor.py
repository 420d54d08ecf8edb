"""`doctor`: is everything in place, and do the bounces come?"""

from __future__ import annotations

from pathlib import Path

import click

from bouncemilter.assembly.site import host
from bouncemilter.cli import configuration, show
from bouncemilter.cli.storage import with_store
from bouncemilter.doctor import plan, runner
from bouncemilter.doctor.dns.lookup import Lookup, lookup
from bouncemilter.endpoint import Endpoint
from bouncemilter.settings import Settings
from bouncemilter.store import Store

_MARKS = {"ok": "ok", "warn": "WARN", "fail": "FAIL"}


@click.command("doctor")
@configuration.option
@click.option("--mta", type=click.Choice([each.value for each in plan.MailServer]), default="auto", help="Which one.")
@click.option("--postfix", default="", metavar="FOLDER", help="Another Postfix's configuration.")
@click.option("--sendmail", default="", metavar="FOLDER", help="Another Sendmail's configuration.")
@click.option("--smtp", default="127.0.0.1:25", metavar="HOST:PORT", help="Where it takes mail of other hosts.")
@click.option("--resolver", default="", metavar="HOST:PORT", help="Ask this DNS resolver, not the host's own.")
@click.option("--no-self-test", is_flag=True, help="Send no bounce through the mail server.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(config: Path, no_self_test: bool, as_json: bool, **options: str) -> None:
    """Examine this host: sockets, permissions, the mail server, DNS, and self-test bounces by each way in.

    The self-test mail never leaves this host. Exit 0 if nothing failed, 1 otherwise.
    """
    where = plan.Where(
        mail_server=plan.MailServer(options["mta"]),
        postfix=options["postfix"],
        sendmail=options["sendmail"],
        smtp=_server(options["smtp"]),
        lookup=_lookup(options["resolver"]),
    )

    async def examine(store: Store, settings: Settings) -> tuple[runner.Row, ...]:
        async def seen(written: str) -> str | None:
            events = await store.events_of(written, 1)
            return events[0].event.front if events else None

        wanted = None if no_self_test else seen
        return await plan.examine_host(host(settings), wanted, where)

    rows = with_store(config, examine)
    if as_json:
        for row in rows:
            show.json_line(row.to_dict())
    else:
        shown = ((_MARKS[row.finding.level], row.name, row.finding.text, row.finding.remedy) for row in rows)
        show.table(("", "check", "found", "what to do"), shown)
    raise SystemExit(runner.exit_code(rows))


def _server(text: str) -> str:
    try:
        Endpoint.parse(f"inet:{text}")
    except ValueError:
        raise click.BadParameter("write HOST:PORT", param_hint="--smtp") from None
    return text


def _lookup(resolver: str) -> Lookup:
    try:
        return lookup(resolver)
    except ValueError:
        raise click.BadParameter("write HOST:PORT", param_hint="--resolver") from None

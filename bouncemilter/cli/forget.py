"""`forget ADDRESS`: a person's wish not to be on record any more."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from bouncemilter.cli import configuration, show
from bouncemilter.cli.exits import Exit
from bouncemilter.cli.identity import operator
from bouncemilter.cli.storage import with_store
from bouncemilter.cli.suppression import options
from bouncemilter.settings import Settings
from bouncemilter.store import Forgotten, Store

_UNSHED: Final = (
    "somebody reads the store just now, so that its write-ahead log still holds what was forgotten; "
    "the daemon empties it within the hour"
)


@click.command("forget")
@configuration.option
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each address.")
def command(config: Path, addresses: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Delete all that the store knows of addresses: exit 0 if it knew any of them, 1 if none. It can't be undone.

    `-` reads addresses from standard input, one a line. All evidence is read once, however many they are.

    Events go with what servers said, excerpts and subjects; the evidence and history of suppressions; records of mail
    that was sent or withheld; and the address where it stands in the evidence of others. What suppresses an address
    now goes on doing so: a keyed hash is kept, with scope, cause and dates. Such suppressions are in no list or
    export; `suppression check` and `why` find them, `suppression remove` lifts them. What comes in later is recorded
    as ever.

    Beyond its reach: backups of the store, the daemon's and the mail server's logs, mail in the Maildir `passed`,
    files that were exported, and mailboxes.

    \b
    bouncemilter forget --dry-run jan@wp.pl
    bouncemilter forget - < addresses.txt
    """
    by, asked = operator(), options.typed(addresses)

    async def work(store: Store, settings: Settings) -> list[Forgotten]:
        # All are looked at before the first is forgotten.
        keys = list(dict.fromkeys(options.key(one, settings) for one in asked))
        if dry_run:
            return await store.erasure.look(keys)
        found = await store.erasure.forget(keys, by=by)
        if not await store.shed():
            click.echo(f"bouncemilter: {_UNSHED}", err=True)
        return found

    found = with_store(config, work)
    for each in found:
        if as_json:
            show.json_line(each)
        else:
            _print(each, dry_run=dry_run)
    raise SystemExit(Exit.OK if any(each.known for each in found) else Exit.NO)


def _print(found: Forgotten, *, dry_run: bool) -> None:
    if not found.known:
        show.line(f"{found.address_key}: nothing is known")
        return
    show.line(f"{found.address_key}: {'would be forgotten' if dry_run else 'forgotten'}")
    counted = (
        ("events", found.events),
        ("suppressions", found.suppressions),
        ("days with withheld mail", found.withheld),
        ("record of mail sent", int(found.mailed)),
        ("messages to several", found.messages),
        ("named in other rows", found.mentions),
    )
    for name, number in counted:
        if number:
            show.line(f"  {name:24}{number:>8,}")
    for each in found.blocks:
        until = f"until {show.cell(each.expires_at)}" if each.expires_at else "for good"
        show.line(f"  stays as a hash: {each.cause}, {f'{each.scope} {each.scope_value}'.strip()}, {until}")

"""`suppression add` and `suppression remove`."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from bouncemilter.cli import configuration, show
from bouncemilter.cli.exits import Exit
from bouncemilter.cli.identity import operator
from bouncemilter.cli.storage import with_store
from bouncemilter.cli.suppression import listing, options
from bouncemilter.model import Cause, Scope, Sentence, Suppression
from bouncemilter.settings import Settings
from bouncemilter.store import Filter, Store

_PIECE: Final = 500
"""Suppressions that are lifted in one transaction."""
_SHOWN: Final = 20
"""Lines of a dry run, unless it is asked for more."""


@click.command("add")
@configuration.option
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option("--note", "--reason", default="", help="Why, for the record.")
@options.reach
@click.option("--sender", default="", metavar="DOMAIN", help="The same as --scope sender:DOMAIN.")
@click.option("--list", "list_id", default="", metavar="LIST-ID", help="The same as --scope list:LIST-ID.")
@click.option("--days", "--expires", type=click.IntRange(1, 36500), help="Only for so many days; else for good.")
def add(  # noqa: PLR0913, PLR0917  (one parameter for each option)
    config: Path,
    addresses: tuple[str, ...],
    note: str,
    reach: tuple[Scope, str] | None,
    sender: str,
    list_id: str,
    days: int | None,
) -> None:
    """Suppress addresses by hand; `-` reads them from standard input, one a line."""
    if sum(map(bool, (reach, sender, list_id))) > 1:
        raise click.UsageError("--scope, --sender and --list exclude each other")
    if sender:
        reach = Scope.SENDER, options.domain_name(sender)
    elif list_id:
        reach = Scope.LIST, options.list_name(list_id)
    scope, value = reach or (Scope.GLOBAL, "")
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(days=days) if days else None
    sentence = Sentence(scope, value, Cause.MANUAL, expires)
    by, asked = operator(), options.typed(addresses)

    async def suppress(store: Store, settings: Settings) -> list[Suppression]:
        keys = [options.key(one, settings) for one in asked]  # all are looked at before the first is written
        return [
            await store.suppress(key, sentence, by=by, note=options.note(note), written=one)
            for key, one in zip(keys, asked, strict=True)
        ]

    for each in with_store(config, suppress):
        show.line(f"suppressed: {each.address_key}")


@click.command("remove")
@configuration.option
@click.argument("addresses", nargs=-1, metavar="[ADDRESS...]")
@options.filters
@click.option("--note", "--reason", default="", help="Why, for the record.")
@click.option("--yes", is_flag=True, help="Do it: without addresses it is only shown what would be lifted.")
@click.option("--including-opt-outs", is_flag=True, help="Also people who have unsubscribed or complained themselves.")
def remove(
    config: Path, addresses: tuple[str, ...], wanted: Filter, note: str, yes: bool, including_opt_outs: bool
) -> None:
    """Lift the suppressions of addresses, or all that the options name: exit 1 if there were none.

    Their history stays. Opt-outs and complaints are lifted only address by address, or with --including-opt-outs.
    """
    if addresses:
        if wanted != Filter(cause=wanted.cause, scope=wanted.scope, scope_value=wanted.scope_value):
            raise click.UsageError("beside addresses only --cause and --scope narrow what is lifted")
        lifted = _lift_addresses(config, options.typed(addresses), wanted, options.note(note))
    else:
        if not options.is_narrow(wanted):
            raise click.UsageError("name addresses, or say by an option which suppressions are meant")
        asked = replace(wanted, state=None, opt_outs=including_opt_outs)
        if not yes:
            _rehearse(config, asked)
            return
        lifted = _lift_all(config, asked, options.note(note))
    raise SystemExit(Exit.OK if lifted else Exit.NO)


def _lift_addresses(config: Path, addresses: list[str], wanted: Filter, note: str) -> int:
    by, value = operator(), wanted.scope_value or None

    async def lift(store: Store, settings: Settings) -> list[Suppression]:
        keys = [options.key(one, settings) for one in addresses]  # all are looked at before the first is lifted
        return [
            each
            for key in keys
            for each in await store.lift(
                key, by=by, cause=wanted.cause, scope=wanted.scope, scope_value=value, note=note
            )
        ]

    lifted = with_store(config, lift)
    for each in lifted:
        _say(each)
    return len(lifted)


def _say(each: Suppression) -> None:
    show.line(f"lifted: {each.address_key} ({each.cause}, {options.scope_of(each)})")


def _rehearse(config: Path, wanted: Filter) -> None:
    async def look(store: Store, _: Settings) -> tuple[list[Suppression], int, int]:
        some = [each async for each in store.listing.matching(wanted, _SHOWN)]
        every = await store.listing.count(replace(wanted, opt_outs=True))
        return some, await store.listing.count(wanted), every

    some, number, every = with_store(config, look)
    listing.print_table(some)
    if number > len(some):
        show.line(f"… and {number - len(some)} more")
    kept = f"; {every - number} opt-outs and complaints stay" if every > number else ""
    show.line(f"{number} would be lifted{kept}; nothing was changed: --yes does it")
    raise SystemExit(Exit.OK if number else Exit.NO)


def _lift_all(config: Path, wanted: Filter, note: str) -> int:
    by = operator()

    async def lift(store: Store, _: Settings) -> int:
        numbers = [each.id async for each in store.listing.matching(wanted)]
        total = 0
        for start in range(0, len(numbers), _PIECE):
            lifted = await store.lift_each(numbers[start : start + _PIECE], by=by, note=note)
            total += len(lifted)
            for each in lifted:
                _say(each)
        return total

    return with_store(config, lift)

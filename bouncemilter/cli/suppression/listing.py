"""`suppression list` and `suppression check`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from bouncemilter.cli import configuration, show
from bouncemilter.cli.exits import Exit
from bouncemilter.cli.storage import with_store
from bouncemilter.cli.suppression import options
from bouncemilter.model import Suppression
from bouncemilter.settings import Settings
from bouncemilter.store import Filter, State, Store, Watched

_HEADINGS = ("address", "scope", "cause", "category", "since", "until", "by", "why")
_WATCHING = "watching"


@click.command("list")
@configuration.option
@options.filters
@click.option(
    "--state",
    type=click.Choice([*(each.value for each in State), _WATCHING]),
    help="in-force, pending (an incident holds them back), expired, removed; or watching: addresses with counted "
    "failures that are not suppressed. Else: in force and pending.",
)
@click.option("--pending", is_flag=True, help="The same as --state pending.")
@click.option("--watched", is_flag=True, help="The same as --state watching.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@options.as_json
def list_(  # noqa: PLR0913, PLR0917  (one parameter for each option)
    config: Path, wanted: Filter, state: str | None, pending: bool, watched: bool, limit: int | None, as_json: bool
) -> None:
    """List suppressions, oldest first; addresses that are watched, newest failure first."""
    states = [state] if state else []
    states += [State.PENDING.value] * pending + [_WATCHING] * watched
    if len(set(states)) > 1:
        raise click.UsageError("--state, --pending and --watched exclude each other")
    chosen = states[0] if states else ""
    if chosen == _WATCHING:
        if wanted.cause or wanted.scope or wanted.batch:
            raise click.UsageError("addresses that are watched have no --cause, --scope or --batch yet")
        _print_watched(with_store(config, lambda store, _: store.listing.watched(limit, wanted)), as_json=as_json)
        return
    asked = replace(wanted, state=State(chosen) if chosen else None)

    async def suppressed(store: Store, _: Settings) -> list[Suppression]:
        found = []
        async for each in store.listing.matching(asked, limit):
            if as_json:
                show.json_line(each)
            else:
                found.append(each)
        return found

    _print(with_store(config, suppressed), as_json=as_json)


@click.command("check")
@configuration.option
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@options.as_json
def check(config: Path, addresses: tuple[str, ...], as_json: bool) -> None:
    """Say whether addresses are suppressed: exit 0 if any of them is, 1 if none. What is pending refuses nothing."""

    async def find(store: Store, settings: Settings) -> list[Suppression]:
        keys = [options.key(one, settings) for one in addresses]
        return [each for key in keys for each in (*await store.suppressed(key), *await store.listing.held_back(key))]

    found = with_store(config, find)
    _print(found, as_json=as_json)
    raise SystemExit(Exit.OK if any(not each.pending for each in found) else Exit.NO)


def _print(found: list[Suppression], *, as_json: bool) -> None:
    if as_json:
        for each in found:
            show.json_line(each)
    else:
        print_table(found)


def print_table(found: list[Suppression]) -> None:
    """A line for each; nothing of none."""
    if found:
        show.table(_HEADINGS, (_row(each) for each in found))


def _print_watched(found: tuple[Watched, ...], *, as_json: bool) -> None:
    if as_json:
        for each in found:
            show.json_line(each)
    elif found:
        rows = ((each.address_key, f"watching {each.watched}", each.category, each.at) for each in found)
        show.table(("address", "state", "last category", "last failure"), rows)


def _row(each: Suppression) -> tuple[object, ...]:
    until: object = f"pending (incident {each.incident})" if each.pending else each.expires_at or "for good"
    if each.ended_at:
        until = f"{show.cell(each.ended_at)}, ended by {each.ended_by}"
    why = each.note or each.reason
    scope = options.scope_of(each)
    return (each.address_key, scope, each.cause, each.category, each.created_at, until, each.created_by, why)

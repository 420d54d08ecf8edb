"""`suppression`: the list of addresses that are not written to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from bouncemilter import address, limits, text
from bouncemilter.cli import configuration, show
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.identity import operator
from bouncemilter.cli.storage import with_store
from bouncemilter.model import Category, Cause, Class, Scope, Sentence, Suppression
from bouncemilter.settings import Settings
from bouncemilter.store import Filter, Store, Watched

_HEADINGS = ("address", "scope", "cause", "category", "since", "until", "by", "why")
_ALL = 2**31 - 1
"""More addresses than any store has."""
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


def _word(vocabulary: type[StrEnum], *names: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option that takes one word of `vocabulary`, as its member."""
    # Plain strings: of an enum's members click takes the names, not the values.
    choice = click.Choice([each.value for each in vocabulary])
    return click.option(*names, type=choice, callback=lambda _, __, word: word and vocabulary(word), **more)


@click.group("suppression")
def command() -> None:
    """The suppression list: addresses that are not written to, each with its evidence."""


@command.command("list")
@configuration.option
@_word(Cause, "--cause", help="Only of this cause.")
@_word(Class, "--class", "class_", help="Only of this class of failure.")
@_word(Category, "--category", metavar="CATEGORY", help="Only of this category of failure.")
@click.option("--domain", default="", help="Only addresses of this domain.")
@click.option("--pending", is_flag=True, help="Only those that an incident holds back: nothing is refused for them.")
@click.option("--watched", is_flag=True, help="Instead: addresses with counted failures that are not suppressed.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@_AS_JSON
def list_(  # noqa: PLR0913, PLR0917  (one parameter for each option)
    config: Path,
    cause: Cause | None,
    class_: Class | None,
    category: Category | None,
    domain: str,
    pending: bool,
    watched: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """List the suppressions in force and pending, oldest first; those watched, newest failure first."""
    if watched and (cause or pending):
        raise click.UsageError("--watched excludes --cause and --pending")
    state = True if pending else None
    wanted = Filter(cause=cause, class_=class_, category=category, domain=address.domain_key(domain), pending=state)

    async def suppressed(store: Store, _: Settings) -> list[Suppression]:
        return [each async for each in store.suppressions(wanted, limit)]

    async def watching(store: Store, _: Settings) -> list[Watched]:
        return [each for each in await store.watched(_ALL) if _is_wanted(each, wanted)][:limit]

    if watched:
        _print_watched(with_store(config, watching), as_json=as_json)
    else:
        _print(with_store(config, suppressed), as_json=as_json)


@command.command("check")
@configuration.option
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@_AS_JSON
def check(config: Path, addresses: tuple[str, ...], as_json: bool) -> None:
    """Say whether addresses are suppressed: exit 0 if any of them is, 1 if none. What is pending refuses nothing."""

    async def find(store: Store, settings: Settings) -> list[Suppression]:
        keys = [_key(one, settings) for one in addresses]
        return [each for key in keys for each in (*await store.suppressed(key), *await store.held_back(key))]

    found = with_store(config, find)
    _print(found, as_json=as_json)
    raise SystemExit(Exit.OK if any(not each.pending for each in found) else Exit.NO)


@command.command("add")
@configuration.option
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option("--note", default="", help="Why, for the record.")
@click.option("--sender", default="", metavar="DOMAIN", help="Only for mail from this domain; else for all.")
@click.option("--list", "list_id", default="", metavar="LIST-ID", help="Only for mail of this list; else for all.")
@click.option("--days", type=click.IntRange(min=1), help="Only for so many days; else for good.")
def add(config: Path, addresses: tuple[str, ...], note: str, sender: str, list_id: str, days: int | None) -> None:
    """Suppress addresses by hand."""
    if sender and list_id:
        raise click.UsageError("--sender and --list exclude each other")
    scope, value = Scope.GLOBAL, ""
    if sender:
        scope, value = Scope.SENDER, _domain(sender)
    elif list_id:
        scope, value = Scope.LIST, text.clean(list_id.strip("<> "), limits.SUBJECT).lower()
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(days=days) if days else None
    sentence = Sentence(scope, value, Cause.MANUAL, expires)
    by = operator()

    async def suppress(store: Store, settings: Settings) -> list[Suppression]:
        for one in addresses:  # all are looked at before the first is written
            _key(one, settings)
        return [await store.suppress(one, sentence, by=by, note=_note(note)) for one in addresses]

    for each in with_store(config, suppress):
        show.line(f"suppressed: {each.address_key}")


@command.command("remove")
@configuration.option
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option("--note", default="", help="Why, for the record.")
@_word(Cause, "--cause", help="Only suppressions of this cause.")
def remove(config: Path, addresses: tuple[str, ...], note: str, cause: Cause | None) -> None:
    """Lift the suppressions of addresses: exit 1 if there were none. Their history stays."""
    by = operator()

    async def lift(store: Store, settings: Settings) -> list[Suppression]:
        for one in addresses:  # all are looked at before the first is lifted
            _key(one, settings)
        return [each for one in addresses for each in await store.lift(one, by=by, cause=cause, note=_note(note))]

    lifted = with_store(config, lift)
    for each in lifted:
        show.line(f"lifted: {each.address_key} ({each.cause}, {_scope(each)})")
    raise SystemExit(Exit.OK if lifted else Exit.NO)


def _is_wanted(each: Watched, wanted: Filter) -> bool:
    """Whether a watched address is among those that the options of `list` name."""
    return (
        (wanted.category is None or each.category is wanted.category)
        and (wanted.class_ is None or (each.category is not None and each.category.class_ is wanted.class_))
        and (not wanted.domain or each.address_key.endswith(f"@{wanted.domain}"))
    )


def _key(written: str, settings: Settings) -> str:
    key = address.key(written, fold_local_part=settings.policy.fold_local_part)
    if not key:
        raise Failure(f"not an e-mail address: {show.cell(written)}", Exit.DATA)
    return key


def _domain(written: str) -> str:
    key = address.key(f"x@{written}").removeprefix("x@")
    if "." not in key:
        raise Failure(f"not a domain: {show.cell(written)}", Exit.DATA)
    return key


def _note(written: str) -> str:
    """The operator's words, without what a store refuses: a terminal may send octets that are no UTF-8."""
    return text.clean(written, limits.DIAGNOSTIC)


def _print(found: list[Suppression], *, as_json: bool) -> None:
    if as_json:
        for each in found:
            show.json_line(each)
    elif found:
        show.table(_HEADINGS, (_row(each) for each in found))


def _print_watched(found: list[Watched], *, as_json: bool) -> None:
    if as_json:
        for each in found:
            show.json_line(each)
    elif found:
        rows = ((each.address_key, f"watching {each.watched}", each.category, each.at) for each in found)
        show.table(("address", "state", "last category", "last failure"), rows)


def _row(each: Suppression) -> tuple[object, ...]:
    until = f"pending (incident {each.incident})" if each.pending else each.expires_at or "for good"
    why = each.note or each.reason
    return (each.address_key, _scope(each), each.cause, each.category, each.created_at, until, each.created_by, why)


def _scope(each: Suppression) -> str:
    return f"{each.scope} {each.scope_value}".strip()

"""Options that several of these commands have, and what is typed into them."""

from __future__ import annotations

import datetime as dt
import functools
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import click

from bouncemilter import address, domain, limits, text
from bouncemilter.cli import show
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.model import Category, Cause, Class, Scope, Suppression
from bouncemilter.settings import Settings
from bouncemilter.store import Filter

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


def word(vocabulary: type[StrEnum], *names: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option that takes one word of `vocabulary`, as its member."""
    # Plain strings: of an enum's members click takes the names, not the values.
    choice = click.Choice([each.value for each in vocabulary])
    return click.option(*names, type=choice, callback=lambda _, __, found: found and vocabulary(found), **more)


def filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that narrow a list, together as the parameter `wanted`."""

    @functools.wraps(command)  # with the options that it has already
    def decorated(  # noqa: PLR0913, PLR0917  (one parameter for each option)
        cause: Cause | None,
        class_: Class | None,
        category: Category | None,
        written_domain: str,
        provider: str,
        scope: tuple[Scope, str] | None,
        since: dt.datetime | None,
        until: dt.datetime | None,
        list_id: str,
        campaign: str,
        sender: str,
        batch: str,
        **others: Any,
    ) -> Any:
        wanted = Filter(
            cause=cause,
            class_=class_,
            category=category,
            domain=address.domain_key(written_domain),
            provider=domain.registrable(provider) if provider else "",
            scope=scope[0] if scope else None,
            scope_value=scope[1] if scope else "",
            since=since.replace(tzinfo=dt.UTC) if since else None,
            until=until.replace(tzinfo=dt.UTC) if until else None,
            list_id=list_name(list_id),
            campaign=campaign,
            sender_domain=address.domain_key(sender),
            batch=batch,
        )
        return command(wanted=wanted, **others)

    day = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
    for option in (
        click.option("--batch", default="", metavar="ID", help="Only what this import has made."),
        click.option("--sender", default="", metavar="DOMAIN", help="Only for mail of this domain, or caused by it."),
        click.option("--campaign", default="", help="Only caused by mail of this campaign."),
        click.option("--list", "list_id", default="", metavar="LIST-ID", help="Only for this list, or caused by it."),
        click.option("--until", type=day, metavar="DATE", help="Only suppressed before then, UTC."),
        click.option("--since", type=day, metavar="DATE", help="Only suppressed on this day or later, UTC."),
        click.option("--scope", callback=_scope, help="Only global, sender, list, sender:DOMAIN or list:LIST-ID."),
        click.option("--provider", default="", metavar="DOMAIN", help="Only of this provider and the domains below."),
        click.option("--domain", "written_domain", default="", help="Only addresses of exactly this domain."),
        word(Category, "--category", metavar="CATEGORY", help="Only of this category of failure."),
        word(Class, "--class", "class_", help="Only of this class of failure."),
        word(Cause, "--cause", help="Only of this cause."),
    ):
        option(decorated)
    return decorated


def is_narrow(wanted: Filter) -> bool:
    """Whether a filter leaves anything out."""
    return wanted != Filter(state=wanted.state, opt_outs=wanted.opt_outs)


def _scope(context: click.Context, option: click.Parameter, value: str | None) -> tuple[Scope, str] | None:
    """A scope with its value, or the kind alone: of any value."""
    return (Scope(value), "") if value in list(Scope) else _reach(context, option, value)


def _reach(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[Scope, str] | None:
    """A scope and its value."""
    if value is None:
        return None
    kind, _, rest = value.partition(":")
    if kind == Scope.GLOBAL and not rest:
        return Scope.GLOBAL, ""
    if kind == Scope.SENDER and rest:
        return Scope.SENDER, domain_name(rest)
    if kind == Scope.LIST and list_name(rest):
        return Scope.LIST, list_name(rest)
    raise click.BadParameter("write global, sender:DOMAIN or list:LIST-ID")


reach = click.option(
    "--scope", "reach", callback=_reach, metavar="SCOPE", help="global, sender:DOMAIN or list:LIST-ID; else global."
)


def typed(addresses: Sequence[str]) -> list[str]:
    """What was typed, and for `-` the lines of standard input."""
    found: list[str] = []
    for one in addresses:
        found += [line.strip() for line in sys.stdin if line.strip()] if one == "-" else [one]
    return found


def key(written: str, settings: Settings) -> str:
    """The key of an address. Failure 65 where it is none."""
    found = address.key(written, fold_local_part=settings.policy.fold_local_part)
    if not found:
        raise Failure(f"not an e-mail address: {show.cell(written)}", Exit.DATA)
    return found


def domain_name(written: str) -> str:
    """A domain as A-label. Failure 65 where it is none."""
    found = address.key(f"x@{written}").removeprefix("x@")
    if "." not in found:
        raise Failure(f"not a domain: {show.cell(written)}", Exit.DATA)
    return found


def list_name(written: str) -> str:
    """A List-ID without its brackets."""
    return text.clean(written.strip("<> "), limits.SUBJECT).lower()


def note(written: str) -> str:
    """The operator's words, without what a store refuses: a terminal may send octets that are no UTF-8."""
    return text.clean(written, limits.DIAGNOSTIC)


def scope_of(each: Suppression) -> str:
    """How far it reaches, in words."""
    return f"{each.scope} {each.scope_value}".strip()

"""`incident`: hours in which living addresses failed, and what is made of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from bouncemilter import address, domain, limits, text
from bouncemilter.cli import configuration, show
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.identity import operator
from bouncemilter.cli.storage import with_store
from bouncemilter.model import Category, Incident, IncidentDecision, Suppression
from bouncemilter.settings import Settings
from bouncemilter.store import NamedFailures, Store

_HEADINGS = ("id", "state", "kind", "what", "opened", "failures", "pending", "suppressed", "why")
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON.")
_NOTE = click.option("--note", default="", help="Why, for the record.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say what would be done.")
_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])


@click.group("incident")
def command() -> None:
    """Hours in which a provider, or our own network, made living addresses fail.

    Their suppressions are pending, and nothing is refused for them, until the address's next message decides; or until
    you do, with `release` or `undo`.
    """


@command.command("list")
@configuration.option
@click.option("--open", "only_open", is_flag=True, help="Only those that are open.")
@_AS_JSON
def list_(config: Path, only_open: bool, as_json: bool) -> None:
    """List the incidents, newest first: exit 0 if there are any, 1 if none."""

    async def find(store: Store, _: Settings) -> list[Incident]:
        return [each for each in await store.incidents.newest() if not only_open or each.is_open(_now())]

    found = with_store(config, find)
    if as_json:
        for each in found:
            show.json_line(_object(each))
    elif found:
        show.table(_HEADINGS, (_row(each) for each in found))
    raise SystemExit(Exit.OK if found else Exit.NO)


@command.command("show")
@configuration.option
@click.argument("number", type=int, metavar="ID")
@_AS_JSON
def show_(config: Path, number: int, as_json: bool) -> None:
    """Show one incident and the addresses that it holds."""

    async def find(store: Store, _: Settings) -> tuple[Incident | None, list[Suppression]]:
        return await store.incidents.find(number), [each async for each in store.incidents.suppressions(number)]

    found, members = with_store(config, find)
    if found is None:
        raise Failure(f"no incident {number}", Exit.NO)
    if as_json:
        show.json_line(_object(found) | {"suppressions": members})
        return
    _print(found)
    if members:
        show.line("")
        rows = (
            (each.address_key, _standing(each), each.category, each.created_at, each.diagnostic) for each in members
        )
        show.table(("address", "state", "category", "since", "server said"), rows)


@command.command("release")
@configuration.option
@click.argument("number", type=int, metavar="ID")
@_NOTE
@_DRY_RUN
def release(config: Path, number: int, note: str, dry_run: bool) -> None:
    """The addresses are really dead: suppress all that the incident holds back."""
    by = operator()

    async def work(store: Store, _: Settings) -> Incident | None:
        if dry_run:
            found = await store.incidents.find(number)
            return None if found is None or found.outcome else found
        return await store.incidents.release(number, by=by, note=_cleaned(note))

    found = with_store(config, work)
    if found is None:
        raise Failure(f"no incident {number} that could be released", Exit.NO)
    if dry_run:
        show.line(f"would suppress {found.pending} addresses")
    else:
        show.line(f"released: incident {number}, {found.suppressed} addresses suppressed")


@command.command("undo")
@configuration.option
@click.argument("number", type=int, metavar="ID", required=False)
@click.option("--domain", "name", default="", metavar="DOMAIN", help="Instead of ID: of this provider or domain,")
@click.option(
    "--category", type=click.Choice([each.value for each in Category]), metavar="CATEGORY", help="so failing,"
)
@click.option("--since", type=_TIME, metavar="TIME", help="from this time on (UTC),")
@click.option("--until", type=_TIME, metavar="TIME", help="up to this time; else until now.")
@_NOTE
@_DRY_RUN
def undo(  # noqa: PLR0913, PLR0917  (one parameter for each option)
    config: Path,
    number: int | None,
    name: str,
    category: str | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
    note: str,
    dry_run: bool,
) -> None:
    """The addresses live: excuse their failures, and end their suppressions, also those that were released.

    With --domain, --category and --since: failures that nothing noticed when they came.
    """
    by = operator()
    if number is not None:
        if name or category or since or until:
            raise click.UsageError("either ID, or --domain, --category and --since")
        _undo_number(config, number, _cleaned(note), by, dry_run=dry_run)
        return
    if not (name and category and since):
        raise click.UsageError("give an ID, or --domain, --category and --since")
    first, last = since.replace(tzinfo=dt.UTC), until.replace(tzinfo=dt.UTC) if until else _now()
    meant = NamedFailures(domain.registrable(address.domain_key(name)), Category(category), first, last)
    _undo_failures(config, meant, _cleaned(note), by, dry_run=dry_run)


def _undo_failures(config: Path, meant: NamedFailures, note: str, by: str, *, dry_run: bool) -> None:
    otherwise = "no such failures that count"
    if dry_run:
        failures, ended = with_store(config, lambda store, _: store.incidents.count_failures(meant))
        if not failures:
            raise Failure(otherwise, Exit.NO)
        show.line(_would_undo(failures, ended))
        return
    undone = with_store(config, lambda store, _: store.incidents.undo_failures(meant, by=by, note=note))
    _say_undone(undone, otherwise)


def _undo_number(config: Path, number: int, note: str, by: str, *, dry_run: bool) -> None:
    async def work(store: Store, _: Settings) -> Incident | None:
        if dry_run:
            found = await store.incidents.find(number)
            return None if found is None or found.outcome is IncidentDecision.UNDONE else found
        return await store.incidents.undo(number, by=by, note=note)

    found = with_store(config, work)
    if dry_run and found:
        show.line(_would_undo(found.events, found.pending + found.suppressed))
    else:
        _say_undone(found, f"no incident {number} that could be undone")


def _would_undo(failures: int, ended: int) -> str:
    return f"would excuse {failures} failures and end {ended} suppressions"


def _say_undone(found: Incident | None, otherwise: str) -> None:
    if found is None:
        raise Failure(otherwise, Exit.NO)
    show.line(f"undone: incident {found.id}, {found.events} failures excused, their suppressions ended")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _cleaned(note: str) -> str:
    return text.clean(note, limits.DIAGNOSTIC)


def _state(each: Incident) -> str:
    if each.outcome:
        return str(each.outcome)
    return "open" if each.is_open(_now()) else "closed"


def _standing(each: Suppression) -> str:
    if each.ended_at:
        return f"ended by {each.ended_by}"
    return "pending" if each.pending else "suppressed"


def _what(each: Incident) -> str:
    return (
        " ".join(str(part) for part in (each.domain, each.category, each.template) if part) or "our own network or DNS"
    )


def _row(each: Incident) -> tuple[object, ...]:
    numbers = (each.events, each.pending, each.suppressed)
    return (each.id, _state(each), each.kind, _what(each), each.opened_at, *numbers, each.reason)


def _object(each: Incident) -> dict[str, object]:
    found: dict[str, object] = show.plain(each)
    return {"id": each.id, "state": _state(each)} | found | {"closes_at": show.plain(each.closes_at)}


def _print(each: Incident) -> None:
    show.line(f"incident {each.id}: {_state(each)}, {each.kind}, {_what(each)}")
    decided = f"{show.cell(each.decided_at)} UTC by {each.decided_by}" if each.decided_at else ""
    for name, value in (
        ("why", each.reason),
        ("since", f"{show.cell(each.since)} UTC"),
        ("opened", f"{show.cell(each.opened_at)} UTC"),
        ("last member", f"{show.cell(each.last_at)} UTC"),
        ("closes", "" if each.outcome else f"{show.cell(each.closes_at)} UTC, unless more follow"),
        (each.outcome or "decided", decided),
        ("note", each.note),
        ("failures", each.events),
        ("pending", each.pending),
        ("suppressed", each.suppressed),
    ):
        if value != "":
            show.line(f"  {name:13}{value}")

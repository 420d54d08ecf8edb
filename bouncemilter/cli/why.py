"""`why ADDRESS`: everything that is known of one address, and what was made of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import NamedTuple

import click

from bouncemilter import address
from bouncemilter.classify.advice import Language, advice
from bouncemilter.cli import configuration, language, show
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.storage import with_store
from bouncemilter.model import Cause, Suppression, Withheld
from bouncemilter.policy import Rules
from bouncemilter.settings import Settings
from bouncemilter.store import Store, StoredEvent


@click.command("why")
@configuration.option
@click.argument("written", metavar="ADDRESS")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@language.option
def command(config: Path, written: str, as_json: bool, lang: Language) -> None:
    """Show why an address is, was or is not suppressed: exit 0 if it is now, 1 if not."""

    async def find(store: Store, settings: Settings) -> _Found:
        key = address.key(written, fold_local_part=settings.policy.fold_local_part)
        if not key:
            raise Failure(f"not an e-mail address: {show.cell(written)}", Exit.DATA)
        return _Found(key, await store.suppressions_of(key), await store.events_of(key), await store.withheld_from(key))

    key, suppressions, events, withheld = with_store(config, find)
    now = dt.datetime.now(dt.UTC)
    suppressed = any(each.in_force(now) for each in suppressions)
    if as_json:
        show.json_line(
            {
                "address_key": key,
                "suppressed": suppressed,
                "suppressions": suppressions,
                "events": events,
                "withheld": withheld,
            }
        )
    else:
        show.line(f"{key}: {'suppressed' if suppressed else 'not suppressed'}")
        for suppression in suppressions:
            _suppression(suppression, now, lang)
        for event in reversed(events):
            _event(event, lang)
        for each in reversed(withheld):
            _withheld(each)
    raise SystemExit(Exit.OK if suppressed else Exit.NO)


class _Found(NamedTuple):
    """What the store knows of an address."""

    key: str
    suppressions: tuple[Suppression, ...]
    events: tuple[StoredEvent, ...]
    withheld: tuple[Withheld, ...]


def _withheld(each: Withheld) -> None:
    show.line("")
    times = "once" if each.n == 1 else f"{each.n} times"
    show.line(
        f"outgoing mail of {each.day}: {each.action} {times}, stream {each.stream}, {each.cause or 'unconfirmed'}"
    )


def _suppression(each: Suppression, now: dt.datetime, lang: Language) -> None:
    show.line("")
    state = _state(each, now)
    until = f"until {show.cell(each.expires_at)} UTC" if each.expires_at else "for good"
    show.line(f"suppression {each.id}: {each.cause}, {each.scope} {each.scope_value}".rstrip() + f", {until}; {state}")
    _fields(
        ("since", f"{show.cell(each.created_at)} UTC by {each.created_by}"),
        ("reason", each.reason),
        ("note", each.note),
        ("category", f"{each.category} by rule {each.rule}" if each.category else ""),
        ("advice", str(advice(each.category, lang)) if each.category else ""),
        ("server said", each.diagnostic),
        ("trust", each.trust or ""),
        ("event", each.event_id),
        ("incident", str(each.incident or "")),
    )


def _state(each: Suppression, now: dt.datetime) -> str:
    if each.ended_at:
        return f"lifted {show.cell(each.ended_at)} UTC by {each.ended_by}"
    if each.pending:
        return f"pending: incident {each.incident} holds it back until the next message"
    if each.in_force(now):
        return "in force"
    if each.cause is Cause.SOFT and each.expires_at and now < each.expires_at + Rules().probation:
        return f"expired; on probation until {show.cell(each.expires_at + Rules().probation)} UTC"
    return "expired"


def _event(stored: StoredEvent, lang: Language) -> None:
    event, decision = stored.event, stored.decision
    what = f"{event.kind} {event.category}" if event.category else event.kind
    show.line("")
    show.line(f"event {event.id}: {show.cell(event.at)} UTC, {what}, by {event.front}")
    codes = " ".join(each for each in (event.reply_code, event.status) if each)
    _fields(
        ("decision", f"{decision.effect}: {decision.reason}{' (excused)' if stored.excused else ''}"),
        ("advice", str(advice(event.category, lang)) if event.category else ""),
        ("server said", event.diagnostic),
        ("codes", codes),
        ("rule", event.rule),
        ("came from", event.remote_host),
        ("failed there", event.reported_address),
        ("trust", f"{event.trust} ({event.trust_reason})"),
        ("sent to", event.envelope_recipient),
        ("message", event.message_key),
        ("subject", event.returned.subject),
        ("excerpt", event.excerpt),
        ("incident", str(stored.incident or "")),
    )


def _fields(*fields: tuple[str, str]) -> None:
    for name, value in fields:
        if value:
            show.line(f"  {name:13}{value}")

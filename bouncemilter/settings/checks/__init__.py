"""Faults that no single key shows: contradictions between keys, and with the machine. A module for each subject."""

from __future__ import annotations

import os
from pathlib import Path

from bouncemilter.settings.checks import alerts, domains, keys, mailboxes, policy, returnpaths, sockets, streams
from bouncemilter.settings.checks.found import Found
from bouncemilter.settings.types import Settings


def consistency(settings: Settings) -> Found:
    """Contradictions between keys."""
    for find in (
        sockets.faults,
        domains.faults,
        returnpaths.faults,
        keys.faults,
        streams.faults,
        mailboxes.faults,
        alerts.faults,
        policy.faults,
    ):
        yield from find(settings)
    if not settings.sink.enabled and not settings.milter.enabled and not settings.mailbox:
        yield "sink.enabled", "neither sink nor milter is enabled: no mail could come in"
    named = settings.return_path or settings.inbound.addresses or any(each.address for each in settings.mailbox)
    if not named:
        yield "return_path", "neither [[return_path]] nor inbound.addresses says which mail is yours"


def environment(settings: Settings) -> Found:
    """Files and folders that are named, but are not there or not usable."""
    state = settings.state_directory
    if not state.is_dir():
        yield "state_directory", f"no such folder: {state}"
    elif not os.access(state, os.W_OK | os.X_OK):
        yield "state_directory", f"can't be written to: {state}"
    rules = settings.classify.rules_directory
    if rules and not Path(rules).is_dir():
        yield "classify.rules_directory", f"no such folder: {rules}"
    hook = settings.hooks.on_change
    if hook and not (Path(hook[0]).is_file() and os.access(hook[0], os.X_OK)):
        yield "hooks.on_change", f"no program that may be run: {hook[0]}"
    for find in (
        keys.unusable,
        mailboxes.unusable,
        sockets.unusable,
    ):
        yield from find(settings)


def warnings(settings: Settings) -> Found:
    """What works, but is likely not meant."""
    for find in (
        returnpaths.warnings,
        domains.warnings,
        policy.warnings,
        keys.warnings,
        streams.warnings,
        alerts.warnings,
        mailboxes.warnings,
        sockets.warnings,
    ):
        yield from find(settings)
    if not settings.inbound.own_domains and settings.inbound.addresses:
        yield (
            "inbound.own_domains",
            "empty: no return to inbound.addresses can be tied to your mail, so none will count",
        )

"""The domains that are said to be ours."""

from __future__ import annotations

from functools import cache
from importlib import resources

from bouncemilter import domain
from bouncemilter.settings.checks.found import Found
from bouncemilter.settings.types import Settings


def faults(settings: Settings) -> Found:
    """Domains of free mailboxes: whoever took wp.pl for their own would take every report about it for their own."""
    for key, name in _own_names(settings):
        if name in free_mail_domains():
            yield key, f"{name} belongs to a provider of mailboxes, not to you"


def warnings(settings: Settings) -> Found:
    """Names below which others have domains."""
    for key, name in _own_names(settings):
        if domain.is_public_suffix(name):
            yield key, f"{name} is a public suffix: the domains of others lie below it"


@cache
def free_mail_domains() -> frozenset[str]:
    """The domains in freemail.txt."""
    text = resources.files("bouncemilter.settings").joinpath("freemail.txt").read_text("utf-8")
    return frozenset(line for line in text.split("\n") if line and not line.startswith("#"))


def _own_names(settings: Settings) -> Found:
    """Key and name of every domain that is said to be ours."""
    for index, name in enumerate(settings.inbound.own_domains):
        yield f"inbound.own_domains[{index}]", name
    for index, path in enumerate(settings.return_path):
        yield f"return_path[{index}].domain", path.domain
        for at, name in enumerate(path.sender_domains):
            yield f"return_path[{index}].sender_domains[{at}]", name

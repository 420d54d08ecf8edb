"""Policy and retention: rules that suppress nobody, evidence that anybody could forge, addresses that outlive."""

from __future__ import annotations

from bouncemilter.settings.checks.found import Found
from bouncemilter.settings.types import Settings


def faults(settings: Settings) -> Found:
    """Addresses that would be forgotten in one place, and kept in another."""
    if 0 < settings.retention.address_days < settings.retention.events_days:
        yield "retention.address_days", "less than events_days: the events would still name the address"


def warnings(settings: Settings) -> Found:
    """Domains whose reports two forgers could write, and rules by which nothing would ever be suppressed."""
    yield from _half_signed(settings)
    rules = settings.policy
    if rules.require == "token" and not any(path.key_file for path in settings.return_path):
        yield "policy.require", "token: no return path has a key_file, so no report will count"
    if (rules.soft_messages - 1) * rules.soft_spacing_hours > rules.window_days * 24:
        apart = f"{rules.soft_messages} messages, {rules.soft_spacing_hours} hours apart"
        yield "policy.soft_messages", f"{apart}, never fit into {rules.window_days} days"


def _half_signed(settings: Settings) -> Found:
    """Own domains whose mail is not signed, beside others whose mail is: there two forged reports still suppress."""
    signed = {name for path in settings.return_path if path.key_file for name in path.sender_domains}
    if not signed or settings.policy.require == "token":
        return
    for index, name in enumerate(settings.inbound.own_domains):
        if not any(f".{name}".endswith(f".{each}") for each in signed):
            words = (
                f"{name} is in the sender_domains of no signed return path: two forged reports about its mail suppress"
            )
            yield f"inbound.own_domains[{index}]", f'{words}; policy.require = "token" prevents that'

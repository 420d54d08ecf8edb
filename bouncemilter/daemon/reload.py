"""What a reload takes over, and what only a restart does."""

from __future__ import annotations

from typing import Final

from bouncemilter.settings import Settings

RELOADED: Final = frozenset(
    {"inbound", "return_path", "dkim", "stream", "policy", "classify", "retention", "alerts", "hooks", "log", "mailbox"}
)
"""The tables that a reload changes; everything else holds sockets, files or other processes' knowledge."""
RELOADED_KEYS: Final = {"sink": ("mta_names",), "milter": ("on_error", "trust_local_users")}
"""The keys of other tables that the path of returned mail alone uses."""


def needs_restart(before: Settings, after: Settings) -> list[str]:
    """The tables and keys that changed and that a reload can't change."""
    fixed = (name for name in Settings.model_fields if name not in RELOADED)
    return [name for name in fixed if _without_reloaded(before, name) != _without_reloaded(after, name)]


def _without_reloaded(settings: Settings, name: str) -> object:
    value = getattr(settings, name)
    keys = RELOADED_KEYS.get(name, ())
    return value.model_dump(exclude=set(keys)) if keys else value

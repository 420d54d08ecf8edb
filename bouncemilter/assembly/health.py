"""What the settings say of this host's health: where to look, and what is well."""

from __future__ import annotations

from pathlib import Path

from bouncemilter.assembly.host import passed_maildir
from bouncemilter.health.host import HostFiles
from bouncemilter.health.snapshot import Limits
from bouncemilter.settings import Settings
from bouncemilter.settings.sections import return_path


def files(settings: Settings) -> HostFiles:
    """Where to look."""
    return HostFiles(
        settings.state_directory,
        passed_maildir(settings),
        tuple((str(return_path(each)), Path(each.key_file)) for each in settings.return_path if each.key_file),
    )


def limits(settings: Settings) -> Limits:
    """What is still well."""
    return Limits(settings.alerts.disk_low_percent, settings.alerts.key_age_days)

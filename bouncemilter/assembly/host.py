"""What this host is called, and where it keeps what."""

from __future__ import annotations

import socket
from functools import cache
from pathlib import Path
from typing import Final

from bouncemilter.settings import Settings

PASSED: Final = "passed"


@cache
def host_name() -> str:
    """This host's fully qualified name, as far as it has one."""
    return socket.getfqdn().lower()


def mta_names(settings: Settings) -> tuple[str, ...]:
    """The names that the mail server of this host writes into Received headers."""
    return tuple(settings.sink.mta_names or [host_name()])


def passed_maildir(settings: Settings) -> Path:
    """The Maildir of what people wrote to return paths, where nothing is forwarded."""
    return settings.state_directory / PASSED

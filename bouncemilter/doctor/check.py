"""What a check of the doctor is, what it is given and what it finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from bouncemilter.dkim import Key
from bouncemilter.doctor.command import Run
from bouncemilter.doctor.dns.lookup import Lookup, lookup
from bouncemilter.mta.site import Site


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    """It works, or nothing is lost; but somebody should look."""
    FAIL = "fail"
    """Bounces are missed, or lost, or made."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    level: Level
    text: str
    """One line: what is so."""
    remedy: str = ""
    """One line: what to do about it."""


def ok(text: str) -> Finding:
    """Nothing to do."""
    return Finding(Level.OK, text)


def warn(text: str, remedy: str) -> Finding:
    """Worth a look."""
    return Finding(Level.WARN, text, remedy)


def fail(text: str, remedy: str) -> Finding:
    """To be mended."""
    return Finding(Level.FAIL, text, remedy)


Seen = Callable[[str], Awaitable[str | None]]
"""The front at which the store has an event about an address, or None while it has none."""


@dataclass(frozen=True, slots=True)
class Host:
    """What is configured here; plain values."""

    site: Site
    """Return paths, sockets, watched addresses. `queue_directory` is only used where Postfix does not tell its own."""
    passed: Path | None = None
    """The Maildir of passed mail; None where all is forwarded."""
    metrics: str = ""
    """Where /metrics is served: `inet:HOST:PORT` or `unix:/absolute/path`; empty where it is switched off."""
    mta_names: tuple[str, ...] = ()
    """The names by which the sink knows this host's own reports; empty where there is no sink."""
    senders: tuple[tuple[str, str], ...] = ()
    """(From domain, domain of the return path that its mail carries)."""
    dkim: tuple[Key, ...] = ()
    """The public keys of our DKIM signatures."""


class Check(Protocol):
    """One question about this host."""

    @property
    def name(self) -> str:
        """Constant, short: the first column of the table."""
        ...

    async def run(self, context: Context) -> Finding:
        """Look, without changing anything. May raise OSError or TimeoutError: the runner makes a failure of it."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a check may use."""

    host: Host
    run: Run
    """Run a command with that standard input."""
    seen: Seen | None = None
    """None where no self-test is wanted."""
    lookup: Lookup = field(default_factory=lookup)
    """Asks DNS."""
    smtp: str = "127.0.0.1:25"
    """HOST:PORT where the mail server takes mail of other hosts."""

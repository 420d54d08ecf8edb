"""The fronts: what each needs to know."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

import structlog

from bouncemilter import replacement
from bouncemilter.assembly.host import host_name, passed_maildir
from bouncemilter.fronts.access import AccessOptions
from bouncemilter.fronts.mailbox import MailboxOptions
from bouncemilter.fronts.milter import MilterOptions
from bouncemilter.fronts.sink import Listener, Protocol, SinkOptions
from bouncemilter.settings import Settings
from bouncemilter.settings.sections import mailbox

_log = structlog.get_logger()

HOP_KEY: Final = "hop.key"
_HOP_KEY_OCTETS: Final = 32


def sink_options(settings: Settings) -> SinkOptions:
    """What the sink needs to know; makes the key of the hop header on first use."""
    sink = settings.sink
    mode = int(sink.socket_mode, 8)
    return SinkOptions(
        listeners=tuple(Listener(Protocol(each.protocol), each.address, mode) for each in sink.listener),
        hostname=settings.hostname or host_name(),
        maildir=passed_maildir(settings),
        forward_to=sink.forward_to,
        hop_key=hop_key(settings.state_directory / HOP_KEY) if sink.forward_to else b"",
        trusted_clients=tuple(each for each in sink.trusted_clients if each != "unix"),
        trust_unix_sockets="unix" in sink.trusted_clients,
        max_message_size=sink.max_message_bytes,
        command_seconds=sink.command_timeout_s,
        content_seconds=sink.content_timeout_s,
        connections=sink.max_connections,
        spool=settings.state_directory,
    )


def milter_options(settings: Settings) -> MilterOptions:
    """What the milter needs to know."""
    return MilterOptions(
        socket=settings.milter.socket,
        socket_mode=int(settings.milter.socket_mode, 8),
        # What the sink sees can be proved to be the MTA's own report; what the milter sees can't.
        return_paths=settings.milter.return_paths or not settings.sink.enabled,
        process_timeout=settings.milter.timeout_s,
        messages=settings.milter.max_connections,
    )


def access_options(settings: Settings) -> AccessOptions:
    """What the access socket needs to know."""
    return AccessOptions(
        settings.access.address, int(settings.access.socket_mode, 8), connections=settings.access.max_connections
    )


def mailboxes(settings: Settings) -> tuple[MailboxOptions, ...]:
    """The mailboxes that are to be read."""
    return tuple(map(mailbox, settings.mailbox))


def hop_key(path: Path) -> bytes:
    """The secret that marks mail that we have handed on before; made on first use, readable by us alone."""
    with contextlib.suppress(FileNotFoundError):
        if len(key := path.read_bytes()) >= _HOP_KEY_OCTETS:  # else it was cut off by a full disk
            return key
    key = os.urandom(_HOP_KEY_OCTETS)
    replacement.write(path, key)
    _log.info("hop_key_made", file=str(path))
    return key

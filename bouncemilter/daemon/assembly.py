"""From settings to the plain values that the parts are made of."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
import socket
from functools import cache
from pathlib import Path
from typing import Final

import structlog

import bouncemilter
from bouncemilter import address, classify, policy, trust
from bouncemilter.fronts.access import AccessOptions
from bouncemilter.fronts.mailbox import MailboxOptions
from bouncemilter.fronts.milter import MilterOptions
from bouncemilter.fronts.sink import Listener, Protocol, SinkOptions
from bouncemilter.model import Disposition, Front, Trust
from bouncemilter.pipeline import DepartureOptions, Options
from bouncemilter.pipeline.attribution import Attribution
from bouncemilter.returnpath import Recognizer, Signer
from bouncemilter.settings import Settings, signing
from bouncemilter.settings.mailboxes import options
from bouncemilter.settings.streams import streams
from bouncemilter.settings.types import PolicySettings
from bouncemilter.settings.values import OnError
from bouncemilter.store import Retention

_log = structlog.get_logger()

HOP_KEY: Final = "hop.key"
PASSED: Final = "passed"
_HOP_KEY_OCTETS: Final = 32

_RELOADED: Final = frozenset(
    {"inbound", "return_path", "dkim", "stream", "policy", "classify", "retention", "alerts", "hooks", "log", "mailbox"}
)
"""The tables that a reload changes; everything else holds sockets, files or other processes' knowledge."""


@cache
def host_name() -> str:
    """This host's fully qualified name, as far as it has one."""
    return socket.getfqdn().lower()


def needs_restart(before: Settings, after: Settings) -> list[str]:
    """The keys that changed and that a reload can't change."""
    changed = [name for name in Settings.model_fields if getattr(before, name) != getattr(after, name)]
    fixed = [name for name in changed if name not in _RELOADED]
    # Two keys of the fronts are used by the path alone.
    return [name for name in fixed if _without_path_keys(before, name) != _without_path_keys(after, name)]


def _without_path_keys(settings: Settings, name: str) -> object:
    value = getattr(settings, name)
    keys = {"sink": ("mta_names",), "milter": ("on_error", "trust_local_users")}.get(name, ())
    return value.model_dump(exclude=set(keys)) if keys else value


def classifier(settings: Settings) -> classify.Classifier:
    """The built-in rules and the operator's own. Raises classify.RulesError."""
    folder = settings.classify.rules_directory
    return classify.load(Path(folder)) if folder else classify.builtin()


def recognizer(settings: Settings) -> Recognizer:
    """Which envelope recipients are ours."""
    return Recognizer(signing.return_paths(settings), settings.inbound.addresses)


def pipeline_options(settings: Settings) -> Options:
    """What the path needs to know."""
    fold, folder = settings.policy.fold_local_part, settings.classify.rules_directory
    prover = trust.Prover(recognizer(settings), signing.signed_paths(settings), signing.dkim_keys(settings), fold=fold)
    return Options(
        attribution=Attribution(
            prover,
            _evidence(settings),
            fold,
            keep_auto_reply_text=settings.retention.keep_auto_reply_text,
            rule_version=f"{bouncemilter.__version__}+{classify.version(Path(folder) if folder else None)}",
        ),
        rules=_rules(settings.policy),
        passed=frozenset(settings.inbound.also_pass),
        on_error={Front.MILTER: Disposition.PASS} if settings.milter.on_error is OnError.ACCEPT else {},
    )


def departure_options(settings: Settings) -> DepartureOptions:
    """What the gate of outgoing mail needs to know."""
    return DepartureOptions(
        streams=streams(settings),
        signers=_signers(settings),
        fold_local_part=settings.policy.fold_local_part,
        observing=settings.policy.preset is policy.Preset.OBSERVE,
    )


def _signers(settings: Settings) -> dict[str, Signer]:
    """By return path: who signs it. Raises KeyFileError."""
    fold = settings.policy.fold_local_part
    return {
        str(each.path): Signer(each.path, each.keys, fold_local_part=fold) for each in signing.signed_paths(settings)
    }


def _evidence(settings: Settings) -> trust.Evidence:
    senders = (name for path in settings.return_path for name in path.sender_domains)
    names = settings.sink.mta_names or [host_name()]
    return trust.Evidence(
        own_domains=frozenset(address.domain_key(name) for name in (*settings.inbound.own_domains, *senders)),
        signed_domains=frozenset(name for path in signing.signed_paths(settings) for name in path.path.sender_domains),
        mta_names=frozenset(name.lower() for name in names),
        trust_local_users=settings.milter.trust_local_users,
    )


def _rules(settings: PolicySettings) -> policy.Rules:
    return policy.Rules(
        preset=settings.preset,
        soft_messages=settings.soft_messages,
        hard_messages=settings.hard_messages,
        window=dt.timedelta(days=settings.window_days),
        soft_spacing=dt.timedelta(hours=settings.soft_spacing_hours),
        soft_expiry=dt.timedelta(days=settings.soft_expiry_days),
        require=Trust.NONE if settings.require == "any" else Trust(settings.require),
    )


def retention(settings: Settings) -> Retention:
    """How long things are kept: the record of a message's recipients outlives its token."""
    lives = [path.token_days for path in settings.return_path if path.key_file]
    kept = settings.retention
    return Retention(
        events=dt.timedelta(days=kept.events_days),
        excerpts=dt.timedelta(days=kept.excerpt_days),
        auto_reply_excerpts=dt.timedelta(days=kept.auto_reply_excerpt_days),
        messages=max([dt.timedelta(days=days + 2) for days in lives], default=Retention().messages),
        addresses=dt.timedelta(days=kept.address_days) if kept.address_days else None,
    )


def sink_options(settings: Settings) -> SinkOptions:
    """What the sink needs to know; makes the key of the hop header on first use."""
    sink = settings.sink
    mode = int(sink.socket_mode, 8)
    return SinkOptions(
        listeners=tuple(Listener(Protocol(each.protocol), each.address, mode) for each in sink.listener),
        hostname=settings.hostname or host_name(),
        maildir=settings.state_directory / PASSED,
        forward_to=sink.forward_to,
        hop_key=_hop_key(settings.state_directory / HOP_KEY) if sink.forward_to else b"",
        trusted_clients=tuple(each for each in sink.trusted_clients if each != "unix"),
        trust_unix_sockets="unix" in sink.trusted_clients,
        max_message_size=sink.max_message_bytes,
        command_seconds=sink.command_timeout_s,
        content_seconds=sink.content_timeout_s,
        connections=sink.max_connections,
        spool=settings.state_directory,
    )


def access_options(settings: Settings) -> AccessOptions:
    """What the access socket needs to know."""
    return AccessOptions(
        settings.access.address, int(settings.access.socket_mode, 8), connections=settings.access.max_connections
    )


def mailboxes(settings: Settings) -> tuple[MailboxOptions, ...]:
    """The mailboxes that are to be read."""
    return tuple(options(each) for each in settings.mailbox)


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


def _hop_key(path: Path) -> bytes:
    """The secret that marks mail that we have handed on before; made on first use, readable by us alone."""
    with contextlib.suppress(FileNotFoundError):
        if len(key := path.read_bytes()) >= _HOP_KEY_OCTETS:  # else it was cut off by a full disk
            return key
    key = os.urandom(_HOP_KEY_OCTETS)
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _log.info("hop_key_made", file=str(path))
    return key

"""The path of returned mail: rules, evidence, policy, and how long things are kept."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import bouncemilter
from bouncemilter import address, classify, policy, trust
from bouncemilter.assembly.host import mta_names
from bouncemilter.assembly.returnpaths import dkim_keys, recognizer, signed_paths
from bouncemilter.model import Disposition, Front, Trust
from bouncemilter.pipeline import Options
from bouncemilter.pipeline.attribution import Attribution
from bouncemilter.settings import Settings
from bouncemilter.settings.types import PolicySettings
from bouncemilter.settings.values import OnError
from bouncemilter.store import Retention


def classifier(settings: Settings) -> classify.Classifier:
    """The built-in rules and the operator's own. Raises classify.RulesError."""
    folder = settings.classify.rules_directory
    return classify.load(Path(folder)) if folder else classify.builtin()


def pipeline_options(settings: Settings) -> Options:
    """What the path needs to know. Raises KeyFileError and dkim.PublicKeyError."""
    fold, folder = settings.policy.fold_local_part, settings.classify.rules_directory
    prover = trust.Prover(recognizer(settings), signed_paths(settings), dkim_keys(settings), fold=fold)
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


def _evidence(settings: Settings) -> trust.Evidence:
    senders = (name for path in settings.return_path for name in path.sender_domains)
    signed = (name for path in settings.return_path if path.key_file for name in path.sender_domains)
    return trust.Evidence(
        own_domains=frozenset(address.domain_key(name) for name in (*settings.inbound.own_domains, *senders)),
        signed_domains=frozenset(signed),
        mta_names=frozenset(name.lower() for name in mta_names(settings)),
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

"""Sections that are one value of a lower layer. The checks ask the value, and `assembly` hands it on."""

from __future__ import annotations

from bouncemilter import address
from bouncemilter.fronts.mailbox import After, MailboxOptions, Secret, Security, SourceKind
from bouncemilter.returnpath import ReturnPath
from bouncemilter.settings.types import MailboxSettings, MatchSettings, ReturnPathSettings, Settings, StreamSettings
from bouncemilter.stream import Match


def return_path(given: ReturnPathSettings) -> ReturnPath:
    """A [[return_path]], without its keys."""
    return ReturnPath(given.domain, given.prefix, given.delimiters, tuple(given.sender_domains))


def return_path_of(settings: Settings, stream: StreamSettings) -> ReturnPathSettings | None:
    """The [[return_path]] that a stream names, by PREFIX@DOMAIN or by its domain alone; None where there is none."""
    prefix, _, name = stream.return_path.rpartition("@")
    wanted = address.domain_key(name)
    return next(
        (
            path
            for path in settings.return_path
            if path.domain == wanted and prefix.lower() in ("", path.prefix.lower())
        ),
        None,
    )


def match(given: MatchSettings) -> Match:
    """What a message must have to belong to a [[stream]]."""
    return Match(
        daemon_name=tuple(given.daemon_name),
        sasl_login=tuple(given.sasl_login),
        client=tuple(given.client),
        local_user=given.local_user,
        sender=tuple(given.sender),
        sender_domain=tuple(given.sender_domain),
    )


def mailbox(given: MailboxSettings) -> MailboxOptions:
    """A [[mailbox]], as its front needs it."""
    return MailboxOptions(
        name=given.name,
        kind=SourceKind(given.kind),
        path=given.path,
        host=given.host,
        port=given.port,
        security=Security(given.tls),
        allow_unencrypted=given.allow_unencrypted,
        ca_file=given.ca_file,
        user=given.user,
        secret=Secret(token_file=given.token_file, password_file=given.password_file, password_env=given.password_env),
        folder=given.folder,
        after=After(given.after),
        move_to=given.move_to,
        address=given.address,
        interval=given.interval_minutes * 60.0,
    )

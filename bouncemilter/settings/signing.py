"""The return paths of the settings, and the keys: of those that are signed, and of DKIM."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from bouncemilter import dkim
from bouncemilter.returnpath import ReturnPath, SignedPath, keyfile
from bouncemilter.settings.types import ReturnPathSettings, Settings


def return_paths(settings: Settings) -> tuple[ReturnPath, ...]:
    """All of them."""
    return tuple(return_path(each) for each in settings.return_path)


def signed_paths(settings: Settings) -> tuple[SignedPath, ...]:
    """Those with a key file, which is read anew. Raises KeyFileError."""
    return tuple(
        SignedPath(return_path(each), keyfile.load(Path(each.key_file)), dt.timedelta(days=each.token_days))
        for each in settings.return_path
        if each.key_file
    )


def dkim_keys(settings: Settings) -> tuple[dkim.Key, ...]:
    """The public keys of our DKIM signatures, whose files are read anew. Raises dkim.PublicKeyError."""
    return tuple(dkim.load(each.domain, each.selector, Path(each.public_key_file)) for each in settings.dkim)


def return_path(settings: ReturnPathSettings) -> ReturnPath:
    """One of them."""
    return ReturnPath(settings.domain, settings.prefix, settings.delimiters, tuple(settings.sender_domains))

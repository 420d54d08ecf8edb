"""Return paths, and the keys that prove a report: of signed return paths, and of DKIM."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from bouncemilter import dkim
from bouncemilter.returnpath import Recognizer, SignedPath, keyfile
from bouncemilter.settings import Settings
from bouncemilter.settings.sections import return_path


def recognizer(settings: Settings) -> Recognizer:
    """Which envelope recipients are ours."""
    return Recognizer(tuple(map(return_path, settings.return_path)), settings.inbound.addresses)


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

"""The keys: those that sign return paths, and the public ones of DKIM."""

from __future__ import annotations

from pathlib import Path

from bouncemilter import dkim, returnpath
from bouncemilter.returnpath import keyfile
from bouncemilter.settings.checks.found import Found
from bouncemilter.settings.types import Settings


def faults(settings: Settings) -> Found:
    """DKIM keys that are named twice."""
    first: dict[tuple[str, str], int] = {}
    for index, each in enumerate(settings.dkim):
        before = first.setdefault((each.domain, each.selector), index)
        if before != index:
            yield f"dkim[{index}]", f"the same domain and selector as dkim[{before}]"


def unusable(settings: Settings) -> Found:
    """Key files that are not there, not ours alone, or not understood."""
    for index, path in enumerate(settings.return_path):
        try:
            if path.key_file:
                keyfile.load(Path(path.key_file))
        except returnpath.KeyFileError as error:
            yield f"return_path[{index}].key_file", str(error)
    for index, each in enumerate(settings.dkim):
        try:
            dkim.load(each.domain, each.selector, Path(each.public_key_file))
        except dkim.PublicKeyError as error:
            yield f"dkim[{index}].public_key_file", str(error)


def warnings(settings: Settings) -> Found:
    """Key files that root can read and the daemon can't, as the owner of the state folder."""
    for index, path in enumerate(settings.return_path):
        if not path.key_file or keyfile.is_credential(Path(path.key_file)):
            continue
        try:
            owner, daemon = (each.stat().st_uid for each in (Path(path.key_file), settings.state_directory))
        except OSError:
            continue
        if owner != daemon:
            yield f"return_path[{index}].key_file", "its owner is not that of state_directory: can the daemon read it?"

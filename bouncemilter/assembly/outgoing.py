"""Mail that leaves: who signs the return paths of its streams."""

from __future__ import annotations

from bouncemilter import policy
from bouncemilter.assembly.returnpaths import signed_paths
from bouncemilter.assembly.streams import streams
from bouncemilter.pipeline import OutgoingOptions
from bouncemilter.returnpath import Signer
from bouncemilter.settings import Settings


def outgoing_options(settings: Settings) -> OutgoingOptions:
    """The settings of the path of outgoing mail. Raises KeyFileError."""
    return OutgoingOptions(
        streams=streams(settings),
        signers=_signers(settings),
        fold_local_part=settings.policy.fold_local_part,
        observing=settings.policy.preset is policy.Preset.OBSERVE,
    )


def _signers(settings: Settings) -> dict[str, Signer]:
    """By return path: who signs it."""
    fold = settings.policy.fold_local_part
    return {str(each.path): Signer(each.path, each.keys, fold_local_part=fold) for each in signed_paths(settings)}

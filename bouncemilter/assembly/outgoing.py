"""Mail that leaves: its streams, and who signs their return paths."""

from __future__ import annotations

from bouncemilter import policy
from bouncemilter.assembly.returnpaths import signed_paths
from bouncemilter.pipeline import OutgoingOptions
from bouncemilter.returnpath import Signer
from bouncemilter.settings import Settings
from bouncemilter.settings.sections import match, return_path, return_path_of
from bouncemilter.settings.types import StreamSettings
from bouncemilter.stream import Stream


def streams(settings: Settings) -> tuple[Stream, ...]:
    """All of them, in their order."""
    return tuple(_stream(settings, each) for each in settings.stream)


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


def _stream(settings: Settings, given: StreamSettings) -> Stream:
    path = return_path_of(settings, given)
    return Stream(
        name=given.name,
        kind=given.kind,
        match=match(given.match),
        return_path=return_path(path) if path else None,
        list_id=given.list,
        campaign_headers=tuple(given.campaign_headers),
        on_suppressed=given.suppressed,
        refuse_dead=given.refuse_dead,
    )

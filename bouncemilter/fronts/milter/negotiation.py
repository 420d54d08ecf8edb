"""What is agreed with the MTA at the start of a session: the least that does the work.

Bits as in libmilter's mfdef.h. libmilter itself stands in for the "no reply" bits where an MTA lacks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import milter

ACTIONS: Final = milter.DELRCPT | milter.ADDHDRS | milter.CHGHDRS | milter.CHGFROM | milter.SETSYMLIST

_ALWAYS: Final = (
    milter.P_NOHELO | milter.P_NOUNKNOWN | milter.P_NR_CONN | milter.P_NR_MAIL | milter.P_HDR_LEADSPC | milter.P_SKIP
)
_SILENT: Final = {
    "connect": milter.P_NR_CONN,
    "mail": milter.P_NR_MAIL,
    "rcpt": milter.P_NR_RCPT,
    "header": milter.P_NR_HDR,
    "eoh": milter.P_NR_EOH,
    "body": milter.P_NR_BODY,
}


@dataclass(frozen=True, slots=True)
class Negotiated:
    """The bits that hold for one session."""

    actions: int = 0
    steps: int = 0

    @property
    def can_delete(self) -> bool:
        """Whether one recipient can be taken away (SMFIF_DELRCPT)."""
        return bool(self.actions & milter.DELRCPT)

    @property
    def can_add(self) -> bool:
        """Whether a header field can be added (SMFIF_ADDHDRS)."""
        return bool(self.actions & milter.ADDHDRS)

    @property
    def can_change(self) -> bool:
        """Whether header fields can be removed (SMFIF_CHGHDRS)."""
        return bool(self.actions & milter.CHGHDRS)

    @property
    def can_change_sender(self) -> bool:
        """Whether the envelope sender can be changed (SMFIF_CHGFROM)."""
        return bool(self.actions & milter.CHGFROM)

    @property
    def can_name_macros(self) -> bool:
        """Whether the macros that are wanted can be listed (SMFIF_SETSYMLIST)."""
        return bool(self.actions & milter.SETSYMLIST)

    @property
    def leading_space(self) -> bool:
        """Whether header values come and go with the space after the colon (SMFIP_HDR_LEADSPC)."""
        return bool(self.steps & milter.P_HDR_LEADSPC)

    @property
    def skip(self) -> bool:
        """Whether the rest of a body can be refused (SMFIS_SKIP)."""
        return bool(self.steps & milter.P_SKIP)

    def silent(self, stage: str) -> bool:
        """Whether the MTA waits for no reply at this stage."""
        return bool(self.steps & _SILENT.get(stage, 0))


def negotiate(actions: int, steps: int, *, outgoing: bool = False) -> Negotiated:
    """The bits to use, of those that the MTA offers; `outgoing`: whether there are streams, whose mail is changed and
    refused.

    Ordinary mail costs one round trip, at DATA, where all recipients are known. An MTA that offers to leave DATA out
    sends it (protocol 6); with an older one a message is accepted at its first header, so headers keep their replies.
    SKIP is a reply to a body chunk: only without it are the chunks silent.
    """
    wanted = _ALWAYS if outgoing else _ALWAYS | milter.P_NR_RCPT
    if steps & milter.P_NODATA:
        wanted |= milter.P_NR_HDR | milter.P_NR_EOH
    if not steps & milter.P_SKIP:
        wanted |= milter.P_NR_BODY
    # CHGFROM costs nothing, and streams may come by a reload while the session lasts.
    return Negotiated(actions & ACTIONS, steps & wanted)

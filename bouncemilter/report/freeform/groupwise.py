"""Novell GroupWise: mailboxes with or without a domain.

The message that you sent was undeliverable to the following:
        jan.nowak (user not found)
        ewa@example.net (mailbox full)
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import Shape, compiled

FORMAT: Final = Shape(
    name="groupwise",
    marks=("undeliverable to the following:",),
    entries=compiled(
        r"^[ \t]+<?(?P<address>[^\s()<>]{1,64}(?:@[^\s()<>]{1,255})?)>?[ \t]*\((?P<error>[^()\n]{3,200})\)"
    ),
)

"""IceWarp, formerly Merak.

Could not deliver message to following recipient(s):

<user@example.com>: 550 5.1.1 User unknown; rejecting
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, Shape, compiled

FORMAT: Final = Shape(
    name="icewarp",
    marks=("could not deliver message to following recipient",),
    entries=compiled(rf"^{ADDRESS}:?[ \t]+(?P<error>\S[^\n]*)"),
)

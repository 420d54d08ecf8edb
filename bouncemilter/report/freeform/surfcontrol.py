"""SurfControl and its heirs.

Addressed To: user@example.com

Thu 29 Apr 2010 23:34:45 +0900
Failed to send to identified host,
user@example.com: [192.0.2.80], 550 user@example.com... No such user
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, INDENTED, Shape, compiled

FORMAT: Final = Shape(
    name="surfcontrol",
    marks=("failed to send to identified host",),
    entries=compiled(rf"^{ADDRESS}:[ \t]*(?:\[[^\]\n]*\],?[ \t]*)?{INDENTED}"),
)

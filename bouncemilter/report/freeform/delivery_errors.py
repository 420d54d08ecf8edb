"""A system that signs as `Mail Deliver System`.

---The following addresses had delivery errors---

user@example.com [User unknown]
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, Shape, compiled

FORMAT: Final = Shape(
    name="delivery_errors",
    marks=("had delivery errors---",),
    entries=compiled(rf"^[ \t]*{ADDRESS}[ \t]+\[(?P<error>[^\]\n]+)\]"),
)

"""Biglobe.

   ----- The following addresses had delivery problems -----
user@biglobe.example.jp

   ----- Non-delivered information -----
The number of messages in recipient's mailbox exceeded the local limit.
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ALONE, LIST, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="biglobe",
    marks=("----- non-delivered information",),
    entries=compiled(ALONE),
    within=compiled(rf"addresses had delivery problems -{{3,}}[ \t]*\n{LIST}"),
    shared=compiled(rf"Non-delivered information -{{3,}}[ \t]*\n\s*{PARAGRAPH}"),
)

"""1&1: the sentences of Exim, and one reason for all.

A message that you sent could not be delivered to one or more of
its recipients. The following addresses failed:

<user@example.de>

For the following reason:

Mail size limit exceeded.
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ALONE, LIST, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="einsundeins",
    marks=("for the following reason:",),
    entries=compiled(ALONE),
    within=compiled(rf"following address(?:es|\(es\))? failed:\s*\n{LIST}"),
    shared=compiled(rf"For the following reason:\s*\n\s*{PARAGRAPH}"),
)

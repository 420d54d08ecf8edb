"""Amazon SES, without its delivery-status part.

An error occurred while trying to deliver the mail to the following recipients:
user@example.com
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ALONE, LIST, Shape, compiled

FORMAT: Final = Shape(
    name="ses",
    marks=("an error occurred while trying to deliver the mail to the following recipients",),
    entries=compiled(ALONE),
    within=compiled(rf"to deliver the mail to the following recipients:\s*\n{LIST}"),
)

"""MailMarshal: the reason above those whom it concerns.

Could not be delivered because of

550 5.1.1 User unknown

The following recipients were affected:
    user@example.com
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ALONE, LIST, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="mailmarshal",
    marks=("could not be delivered because of", "recipients were affected:"),
    entries=compiled(ALONE),
    within=compiled(rf"recipients were affected:[ \t]*\n{LIST}"),
    shared=compiled(rf"because of:?\s*\n\s*{PARAGRAPH}"),
)

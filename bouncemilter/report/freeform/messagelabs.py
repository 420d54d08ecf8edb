"""MessageLabs, later Symantec's.

I was unable to deliver your message to the following addresses:

user@example.com

Reason: 550 user@example.com... No such user
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ALONE, LIST, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="messagelabs",
    marks=("this is the mail delivery agent at",),
    entries=compiled(ALONE),
    within=compiled(rf"to the following address(?:es)?[:.]?[ \t]*\n\s*?\n{LIST}"),
    shared=compiled(rf"^Reason:[ \t]*{PARAGRAPH}"),
)

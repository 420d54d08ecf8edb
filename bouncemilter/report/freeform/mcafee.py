"""McAfee's mail gateways.

     --- The following addresses had delivery problems ---

<user@example.com>   (User unknown user@example.com)
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, Shape, compiled

FORMAT: Final = Shape(
    name="mcafee",
    marks=("addresses had delivery problems ---",),
    entries=compiled(rf"^[ \t]*{ADDRESS}[ \t]+\((?!unrecoverable)(?P<error>[^\n]+)\)[ \t]*$"),
)

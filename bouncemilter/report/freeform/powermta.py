"""PowerMTA.

Hello, this is the mail server on pmta.example.com.

I am sending you this message to inform you on the delivery status of a
message you previously sent.

 <user@example.com>  delivery failed; will not continue trying
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, Shape, compiled

FORMAT: Final = Shape(
    name="powermta",
    marks=("inform you on the delivery status",),
    entries=compiled(rf"^[ \t]*{ADDRESS}[ \t]+(?P<error>[a-z][^\n]+)"),
)

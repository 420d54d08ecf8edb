"""MailFoundry.

Unable to deliver message to: <user@example.com>
Delivery failed for the following reason:
Server mx.example.com[192.0.2.80] failed with: 550 No such user here
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="mailfoundry",
    marks=("delivery failed for the following reason",),
    entries=compiled(
        rf"^Unable to deliver message to:[ \t]*{ADDRESS}\s*\n"
        rf"Delivery failed for the following reason:\s*\n\s*{PARAGRAPH}"
    ),
)

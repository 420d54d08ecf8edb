"""The DragonFly mail agent, which Debian calls dma.

This is the DragonFly Mail Agent v0.13 at mx.example.net.

There was an error delivering your mail to <user@example.com>.

mail.example.com [192.0.2.80] did not like our RCPT TO:
550 5.1.1 <user@example.com>: Recipient address rejected: User unknown
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="dragonfly",
    marks=("dragonfly mail agent",),
    entries=compiled(rf"delivering your mail to {ADDRESS}\.?[ \t]*\n\s*{PARAGRAPH}"),
)

"""Courier, when its delivery-status part is lost.

Your message to the following recipients cannot be delivered:

<user@example.com>:
    mx.example.com [192.0.2.80]:
>>> RCPT TO:<user@example.com>
<<< 550 5.1.1 <user@example.com>: No such user here
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="courier",
    marks=("running the courier mail server", "courier mail server at"),
    entries=compiled(rf"^{ADDRESS}:[ \t]*\n(?:[ \t]+(?P<host>[\w.-]+) \[[^\n]*\n)?[ \t]*{PARAGRAPH}"),
)

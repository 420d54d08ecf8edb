"""Netscape's servers and their heirs at Japanese carriers: a reason for each, or one for all.

This Message was undeliverable due to the following reason:

Your message was not delivered within 2 days.
Host mx.example.com is not responding.

The following recipients did not receive your message:

     <user@example.com>
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import LABELLED, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="netscape",
    marks=("message was undeliverable due to the following reason",),
    entries=compiled(LABELLED, r"^[ \t]+<(?P<address>[^<>\s]{1,320})>[ \t]*$"),
    shared=compiled(
        r"^(?P<error>(?:Your message was not delivered within|Host \S+ is not responding)[^\n]*"
        r"(?:\n[^\n]*\S[^\n]*){0,3})",
        rf"due to the following reason:\s*\n\s*{PARAGRAPH}",
    ),
)

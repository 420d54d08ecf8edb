"""Gateways to telephones (vtext, MMS).

Error:        Blocked by the destination; no valid recipients
RCPT TO:      5550100@vtext.example.com
Subject:      hello
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, Shape, compiled

FORMAT: Final = Shape(
    name="verizon",
    marks=("rcpt to: ", "delivered to mobile"),
    entries=compiled(rf"^RCPT TO:[ \t]+{ADDRESS}", rf"^To:[ \t]+{ADDRESS}"),
    shared=compiled(r"^Error:[ \t]*(?P<error>\S[^\n]*)"),
)

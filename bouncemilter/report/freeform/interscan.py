"""Trend Micro InterScan.

Sent >>> RCPT TO:<user@example.com>
Received <<< 550 5.1.1 <user@example.com>... user unknown
Unable to deliver message to <user@example.com> (and other recipients in the same domain).
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, Shape, compiled

FORMAT: Final = Shape(
    name="interscan",
    marks=("unable to deliver message to <",),
    entries=compiled(
        rf"^Sent [<>]{{3}} (?P<command>[^\n]*)\nReceived [<>]{{3}} (?P<error>[^\n]*(?:\n(?!Unable)[^\n]*){{0,6}})\n"
        rf"Unable to deliver message to {ADDRESS}",
        rf"^(?P<error>Unable to deliver message to {ADDRESS}[^\n]*)",
    ),
)

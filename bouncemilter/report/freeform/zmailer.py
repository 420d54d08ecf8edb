"""ZMailer.

FAILED:
  Original Recipient:
    rfc822;user@example.com
  Control data:
    smtp mx.example.com user@example.com 99
  Diagnostic texts:
    <user@example.com>: 550 5.1.1 User unknown
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="zmailer",
    marks=("diagnostic texts:",),
    entries=compiled(
        rf"^[ \t]*Original Recipient:[ \t]*\n[ \t]*(?:rfc822;[ \t]*)?{ADDRESS}[ \t]*\n(?:[ \t]*[^\n]*\n){{0,4}}?"
        rf"[ \t]*Diagnostic texts?:[ \t]*\n[ \t]*{PARAGRAPH}"
    ),
)

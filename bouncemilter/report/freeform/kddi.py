"""KDDI's au, and other Japanese carriers.

Your mail sent on: Thu, 29 Apr 2010 11:04:47 +0900
     Could not be delivered to: <user@au.example.jp>
     As their mailbox is full.
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, INDENTED, Shape, compiled

FORMAT: Final = Shape(
    name="kddi",
    marks=("could not be delivered to:",),
    entries=compiled(rf"Could not be delivered to:[ \t]*{ADDRESS}[ \t]*\n[ \t]+{INDENTED}"),
)

"""Kerio Connect.

Your message was not delivered to the following recipients:

Recipient: user@example.com
Reason: 5.1.1 The email account that you tried to reach does not exist
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import LABELLED, Shape, compiled

FORMAT: Final = Shape(
    name="kerio",
    marks=("was not delivered to the following recipients:",),
    entries=compiled(LABELLED),
)

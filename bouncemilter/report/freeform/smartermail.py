"""SmarterMail.

Could not deliver message to the following recipient(s):

Failed Recipient: user@example.com
Reason: Remote host said: 550 5.1.1 The email account that you tried to reach does not exist.
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import LABELLED, Shape, compiled

FORMAT: Final = Shape(
    name="smartermail",
    marks=("failed recipient: ",),
    entries=compiled(LABELLED),
)

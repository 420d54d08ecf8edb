"""MailEnable.

MailEnable: Message Delivery Failure.

Recipient: [SMTP:user@example.com]
Reason: Remote SMTP Server Returned: 550 No such user here
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import LABELLED, Shape, compiled

FORMAT: Final = Shape(
    name="mailenable",
    marks=("mailenable", "recipient: [smtp:"),
    entries=compiled(LABELLED),
)

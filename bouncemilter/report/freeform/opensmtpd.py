"""OpenSMTPD.

    An error has occurred while attempting to deliver a message for
    the following list of recipients:

user@example.com: 550 5.1.1 <user@example.com>... User Unknown
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, INDENTED, Shape, compiled

FORMAT: Final = Shape(
    name="opensmtpd",
    marks=("this is the mailer-daemon, please do not reply",),
    entries=compiled(rf"^{ADDRESS}:[ \t]+{INDENTED}"),
)

"""Ipswitch IMail.

Unknown user: user@example.com
User mailbox exceeds allowed size: other@example.com
Delivery failed 20 attempts: third@example.net

Original message follows.
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="imail",
    marks=(
        "unknown user:",
        "user mailbox exceeds allowed size:",
        "delivery failed ",
        "undeliverable to ",
        "unknown host:",
    ),
    entries=compiled(
        rf"^undeliverable to {ADDRESS}[ \t]*\n\s*{PARAGRAPH}",
        rf"^(?P<error>(?:Unknown|User|Delivery failed|Undeliverable|Invalid|Not)[^\n:@]{{0,60}}):?[ \t]+"
        rf"{ADDRESS}[ \t]*$",
    ),
)

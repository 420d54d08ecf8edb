"""hMailServer.

The following recipient(s) could not be reached:

user@example.com
   Error Type: SMTP
   Remote server (192.0.2.80) issued an error.
   hMailServer sent: RCPT TO:<user@example.com>
   Remote server replied: 550 5.1.1 Unknown recipient
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, INDENTED, Shape, compiled

FORMAT: Final = Shape(
    name="hmailserver",
    marks=("hmailserver",),
    entries=compiled(
        rf"^{ADDRESS}[ \t]*\n(?:[ \t]+[^\n]*\n){{0,3}}[ \t]+hMailServer sent: (?P<command>[^\n]*)\n"
        r"[ \t]*Remote server replied: (?P<error>\S[^\n]*(?:\n[ \t]+\S[^\n]*){0,9})",
        rf"^{ADDRESS}[ \t]*\n[ \t]+(?:Error Type:[^\n]*\n[ \t]+)?{INDENTED}",
    ),
)

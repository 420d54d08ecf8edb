"""A system that counts its errors.

We had trouble delivering your message. Full details follow:

1 error(s):

SMTP Server <mx1.example.com> rejected recipient <user@example.com>
  (Error following RCPT command). It responded as follows: [550 5.1.1 <user@example.com>... User Unknown]
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, Shape, compiled

FORMAT: Final = Shape(
    name="counted_errors",
    marks=("we had trouble delivering your message",),
    entries=compiled(
        rf"SMTP Server <(?P<host>[^<>\n]*)> rejected recipient\s+{ADDRESS}\s*\(Error following (?P<command>\w+)[^)]*\)"
        r"[^\[]{0,60}\[(?P<error>[^\n]*(?:\n[ \t]+[^\n]*){0,4})\]"
    ),
)

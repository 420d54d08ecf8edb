"""CommuniGate Pro.

Failed to deliver to 'user@example.com'
SMTP module(domain example.com) reports:
 host mx.example.com says:
 550 5.1.1 unknown user account
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="communigate",
    marks=("failed to deliver to ",),
    entries=compiled(
        rf"^Failed to deliver to {ADDRESS}[ \t]*\n(?:[A-Z]{{2,16}} module\([^\n)]*\) reports:[ \t]*\n)?"
        rf"(?:[ \t]*host (?P<host>[\w.-]+) says:[ \t]*\n)?[ \t]*{PARAGRAPH}",
    ),
)

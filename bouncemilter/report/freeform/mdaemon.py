"""MDaemon: the error is the last answer of a transcript.

Failed address: user@example.com

--- Session Transcript ---
 Mon 2024-03-04 10:00:02: --> RCPT To:<user@example.com>
 Mon 2024-03-04 10:00:03: <-- 550 5.1.1 <user@example.com>: Recipient address rejected: User unknown
--- End Transcript ---
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, Shape, compiled

FORMAT: Final = Shape(
    name="mdaemon",
    marks=("mdaemon", "session transcript", "fatal delivery errors"),
    entries=compiled(rf"^[ \t]*(?:Failed address|Error-for|Failed recipient):[ \t]*{ADDRESS}"),
    shared=compiled(
        r"--> (?P<command>[^\n]*)\n[^\n]{0,60}<-- (?P<error>[45]\d\d[ -][^\n]*)",
        r"<-- (?P<error>[45]\d\d[ -][^\n]*)",
        r"^Error-Text:[ \t]*(?P<error>[^\n]+)",
    ),
)

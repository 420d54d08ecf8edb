"""Gmail in words: of old with technical details, today with the answer of the remote server.

Delivery to the following recipient failed permanently:

     user@example.com

Technical details of permanent failure:
Google tried to deliver your message, but it was rejected by the recipient domain.
The error that the other server returned was: 550 550 5.1.1 User unknown (state 14).
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ALONE, LIST, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="gmail",
    marks=("technical details of permanent failure", "technical details of temporary failure"),
    entries=compiled(ALONE),
    within=compiled(rf"^Delivery to the following recipients? (?:failed|has been)[^\n]*:\s*\n{LIST}"),
    shared=compiled(
        rf"error that the other server returned was:\s*{PARAGRAPH}",
        rf"Technical details of (?:permanent|temporary) failure:\s*\n?{PARAGRAPH}",
    ),
)

"""IBM and HCL Domino; the reason comes in the server's language.

Your message

  Subject: hello

was not delivered to:

  user@example.com

because:

  User user (user@example.com) not listed in Domino Directory
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="domino",
    marks=("was not delivered to:",),
    entries=compiled(rf"was not delivered to:\s*\n\s*{ADDRESS}[^\n]*\n\s*because:\s*\n\s*{PARAGRAPH}"),
)

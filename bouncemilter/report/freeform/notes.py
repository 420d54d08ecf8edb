"""Lotus Notes of old: the reason above the address, in any charset.

------- Failure Reasons  --------

User not listed in public Name & Address Book
user@notes.example.com

------- Returned Message --------
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, Shape, compiled

FORMAT: Final = Shape(
    name="notes",
    marks=("- failure reasons",),
    entries=compiled(rf"^[ \t]*(?P<error>[^\n@]*\S)[ \t]*\n[ \t]*{ADDRESS}[ \t]*$"),
    within=compiled(r"-{3,} ?Failure Reasons[ \t]*-{3,}[ \t]*\n(?P<list>(?:(?!-{3,})[^\n]*(?:\n|\Z)){1,200})"),
)

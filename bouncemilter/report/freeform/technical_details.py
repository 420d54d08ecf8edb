"""A system that lists recipients with stars, and technical details below.

Delivery to the following recipients failed permanently:

  * user@example.com

============================================================================
                             Technical details:

Routing: Could not find a gateway for user@example.com
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="technical_details",
    marks=("technical details:", "recipients failed permanently:"),
    entries=compiled(rf"^[ \t]+\* {ADDRESS}"),
    shared=compiled(rf"^[ \t]*Technical details:[ \t]*\n\s*(?:={{3,}}\s*)?{PARAGRAPH}"),
)

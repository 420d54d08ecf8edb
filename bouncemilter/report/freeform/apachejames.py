"""Apache James.

Hi. This is the James mail server at james.example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.

Failed recipient(s):
user@example.com

Error message:
550 5.1.1 No such user
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ALONE, LIST, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="apachejames",
    marks=("this is the james mail server", "failed recipient(s):"),
    entries=compiled(ALONE),
    within=compiled(rf"Failed recipient\(s\):[ \t]*\n{LIST}"),
    shared=compiled(rf"^Error message(?: below)?:\s*\n{PARAGRAPH}"),
)

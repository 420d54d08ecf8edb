"""AOL of old: screen names without a domain, and one reason for all of them.

Your mail to the following recipients could not be delivered because they
are not accepting mail from news@example.pl:
        jannowak
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import Shape, compiled

FORMAT: Final = Shape(
    name="aol",
    marks=("your mail to the following recipients could not be delivered",),
    entries=compiled(r"^\t(?P<address>[\w.+-]{2,64}(?:@[\w.-]+)?)[ \t]*$"),
    shared=compiled(r"(?P<error>Your mail to the following recipients could not be delivered[^:]{0,300})"),
)

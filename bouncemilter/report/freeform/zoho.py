"""Zoho.

user@example.com Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 <user@example.com>... User Unknown
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, Shape, compiled

FORMAT: Final = Shape(
    name="zoho",
    marks=("error_code :",),
    entries=compiled(rf"^[ \t\[]*{ADDRESS}[,: \t]+(?P<error>\S[^\n]*ERROR_CODE[^\n]*)"),
)

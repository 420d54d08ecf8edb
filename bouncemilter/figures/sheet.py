"""Tables as CSV (RFC 4180, UTF-8) that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from bouncemilter import text


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The file. A text that would be taken for a formula gets an apostrophe before it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(headings)
    writer.writerows([_safe(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8", "backslashreplace")


def _safe(value: object) -> object:
    return text.guarded(value) if isinstance(value, str) else value

"""CSV (RFC 4180, UTF-8) that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from bouncemilter import text


def records(rows: Iterable[Sequence[object]], *, raw: bool = False) -> str:
    """Rows as records; `raw`: without the apostrophe before what a spreadsheet would take for a formula."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows if raw else ([_safe(value) for value in row] for row in rows))
    return out.getvalue()


def encoded(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as the octets of a file; what UTF-8 can't hold is written as an escape."""
    return records(rows).encode("utf-8", "backslashreplace")


def _safe(value: object) -> object:
    return text.guarded(value) if isinstance(value, str) else value

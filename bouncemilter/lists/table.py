"""Tables that are written for people and programs: CSV that no spreadsheet takes for formulas, or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from bouncemilter import csvfile

_JSON: Final = (".jsonl", ".ndjson", ".json")


class Table:
    """Rows under headings: JSON lines where `path` ends in .jsonl, .ndjson or .json, else CSV (RFC 4180, UTF-8).

    A CSV cell that a spreadsheet would take for a formula gets an apostrophe before it; JSON is as it is.
    """

    def __init__(self, out: BinaryIO, path: Path, headings: Sequence[str]) -> None:
        self._out = out
        self._headings = headings
        self._json = path.suffix.lower() in _JSON
        if not self._json:
            out.write(csvfile.encoded([headings]))

    def add(self, rows: Iterable[Sequence[object]]) -> None:
        """Write some rows."""
        if self._json:
            for row in rows:
                line = json.dumps(dict(zip(self._headings, row, strict=True)), default=str)
                self._out.write(line.encode("ascii") + b"\n")
        else:
            self._out.write(csvfile.encoded(rows))

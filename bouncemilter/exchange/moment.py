"""Points of time as providers write them."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from typing import Final

_NUMBER: Final = re.compile(r"\d{9,10}(?:\.\d+)?\Z|\d{12,13}\Z")
_SERIAL: Final = re.compile(r"[2-7]\d{4}(?:\.\d+)?\Z")
"""Days of a spreadsheet, from 1954 to 2119: what a workbook holds where a date is shown."""
_SERIAL_START: Final = dt.datetime(1899, 12, 30, tzinfo=dt.UTC)
_DAY_FIRST: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?\Z")
_ZONE_NAME: Final = re.compile(r" ?(?:UTC|GMT|Z)\Z")


def parse(written: str) -> dt.datetime | None:
    """A point of time, UTC: ISO 8601, RFC 5322, `31.12.2023 14:05`, seconds since 1970 (with 13 digits milliseconds),
    a spreadsheet's days.

    Without a zone it is UTC. None where it is none of these: `03/04/2023` is March in one country, April in another.
    """
    bare = written.strip()[:64]
    if not bare:
        return None
    found = _iso(bare) or _other(bare)
    if found is None:
        return None
    try:
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (OverflowError, ValueError):
        return None


def _iso(bare: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(_ZONE_NAME.sub("+00:00", bare).replace(" +", "+"))
    except ValueError:
        return None


def _other(bare: str) -> dt.datetime | None:
    try:
        if _NUMBER.match(bare):
            return dt.datetime.fromtimestamp(float(bare) / (1000 if len(bare) >= 12 and "." not in bare else 1), dt.UTC)
        if _SERIAL.match(bare):
            return _SERIAL_START + dt.timedelta(seconds=round(float(bare) * 86_400))
        if found := _DAY_FIRST.match(bare):
            day, month, year, *clock = (int(each or 0) for each in found.groups())
            return dt.datetime(year, month, day, clock[0], clock[1], clock[2], tzinfo=dt.UTC)
        return email.utils.parsedate_to_datetime(bare)
    except (ValueError, OverflowError, OSError, TypeError):
        return None

"""When a message came: the mailbox's own date, else what the headers say. Never later than now."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from typing import Final

from bouncemilter.report.header import Headers

_INTERNAL: Final = re.compile(
    rb"[ ]?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})\Z", re.ASCII
)
_FROM_LINE: Final = re.compile(
    rb"From .*?[A-Z][a-z]{2} +([A-Z][a-z]{2}) +(\d{1,2}) +(\d{2}):(\d{2})(?::(\d{2}))? +(?:[A-Z]{3,4} +)?(\d{4})",
    re.ASCII,
)
_MONTHS: Final = {
    name: number for number, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)
}


def of_headers(headers: Headers) -> dt.datetime | None:
    """The date of the topmost Received (RFC 5321 section 4.4), else of Date; None where neither can be read."""
    received = headers.raw(b"received")
    return _parsed(received.rpartition(b";")[2]) or _parsed(headers.raw(b"date"))


def of_internaldate(written: bytes) -> dt.datetime | None:
    """IMAP's INTERNALDATE (RFC 3501 section 9, `date-time`), without quotes."""
    if not (found := _INTERNAL.match(written)):
        return None
    day, month, year, hour, minute, second = (found[index] for index in range(1, 7))
    offset = dt.timedelta(hours=int(found[8]), minutes=int(found[9])) * (-1 if found[7] == b"-" else 1)
    return _made(year, month, day, (hour, minute, second), offset)


def of_from_line(line: bytes) -> dt.datetime | None:
    """The date in an mbox's `From ` line, which is in UTC (RFC 4155)."""
    if not (found := _FROM_LINE.match(line)):
        return None
    month, day, hour, minute, second, year = found.groups()
    return _made(year, month, day, (hour, minute, second or b"0"), dt.timedelta())


def of_file(seconds: float) -> dt.datetime | None:
    """A file's time."""
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def clamped(found: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    """The time that a message counts from: what was found, but not later than `now`."""
    return min(found, now) if found else now


def _made(
    year: bytes, month: bytes, day: bytes, clock: tuple[bytes, bytes, bytes], offset: dt.timedelta
) -> dt.datetime | None:
    number = _MONTHS.get(month.lower(), 0)
    hour, minute, second = (int(each) for each in clock)
    try:
        return dt.datetime(int(year), number, int(day), hour, minute, min(second, 59), tzinfo=dt.UTC) - offset
    except (ValueError, OverflowError):
        return None


def _parsed(written: bytes) -> dt.datetime | None:
    """A date-time of RFC 5322 section 3.3; without a zone it is UTC."""
    try:
        found = email.utils.parsedate_to_datetime(written[:200].decode("latin-1"))
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None

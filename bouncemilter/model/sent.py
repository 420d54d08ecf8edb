"""What is kept of the mail that was sent: on which days to whom, and how much."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DAYS_KEPT: Final = 62
"""Days that are remembered one by one: as many as fit a signed 64-bit column with room to shift."""
PROOF: Final = dt.timedelta(days=6)
"""A message without a failure for so long has arrived: mail servers give up after five days (RFC 5321 section
4.5.4.1)."""
NAME_LENGTH: Final = 100
"""Characters of a campaign's or list's name that it is counted under."""
OTHER: Final = "(other)"
"""What the names beyond those that are told apart in a day are counted under."""


def address_hash(address_key: str) -> int:
    """An address's number in the tables of sent mail: BLAKE2b of its key, as a signed 64-bit integer."""
    return hash64(address_key)


def hash64(text: str) -> int:
    """BLAKE2b of `text`, as a signed 64-bit integer: short keys for indexes, the same in every process."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


@dataclass(frozen=True, slots=True)
class Sent:
    """One message to one recipient, accepted to be sent."""

    address_key: str
    at: dt.datetime
    """UTC."""
    stream: str = ""
    list_id: str = ""
    campaign: str = ""
    sender_domain: str = ""
    """The domain of ours (A-label) in From."""
    provider: str = ""
    """The registrable domain of the recipient."""


class Withholding(StrEnum):
    """What was done about a suppressed recipient of outgoing mail."""

    REFUSED = "refused"
    """The client got 550 in reply to RCPT, or to the message."""
    DROPPED = "dropped"
    """Taken out of the message; nobody was told."""
    OBSERVED = "observed"
    """Nothing, in the preset `observe`."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """Outgoing mail that one address did not get, or would not have got, on one day."""

    day: dt.date
    """UTC."""
    address_key: str
    stream: str
    action: Withholding
    cause: str
    """A Cause; empty where the store could not say."""
    n: int = 1


@dataclass(frozen=True, slots=True)
class SentDays:
    """The UTC days on which an address was written to."""

    first: dt.date
    last: dt.date
    days: int = 1
    """A bit for each of the DAYS_KEPT days up to `last`; the lowest is `last` itself."""

    def latest(self, until: dt.date) -> dt.date | None:
        """The latest of the days that is not after `until`."""
        back = max(0, (self.last - until).days)
        bits = self.days >> back if back < DAYS_KEPT else 0
        if bits:
            return self.last - dt.timedelta(days=back + (bits & -bits).bit_length() - 1)
        return self.first if self.first <= until else None

    def proven(self, failures: Iterable[dt.datetime], at: dt.datetime) -> dt.datetime | None:
        """When, as known at `at`, the latest message was sent that has not failed for PROOF; None where there is none.

        `failures`: all failures of the address, of whatever kind.
        """
        failed = [moment.astimezone(dt.UTC).date() for moment in failures]
        day = self.latest(at.astimezone(dt.UTC).date() - PROOF)
        while day is not None:
            if not any(day <= each <= day + PROOF for each in failed):
                return dt.datetime.combine(day, dt.time(), dt.UTC)
            day = self.latest(day - dt.timedelta(days=1))
        return None

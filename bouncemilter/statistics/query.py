"""What a report is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bouncemilter.model import Category


class By(StrEnum):
    """What the lines of a report are."""

    DAY = "day"
    CAMPAIGN = "campaign"
    LIST = "list"
    PROVIDER = "provider"
    """The registrable domain of the recipients."""
    CATEGORY = "category"
    MESSAGE = "message"
    """The subject of the returned message."""
    STREAM = "stream"


@dataclass(frozen=True, slots=True)
class Query:
    """A time, and which part of the mail; empty and None match any."""

    first: dt.date
    last: dt.date
    """Included."""
    by: By = By.DAY
    zone: dt.tzinfo = dt.UTC
    """Whose days they are."""
    campaign: str = ""
    list_id: str = ""
    provider: str = ""
    category: Category | None = None

    @property
    def filtered(self) -> bool:
        """Whether it is about a part of the mail."""
        return bool(self.campaign or self.list_id or self.provider or self.category)

    @property
    def start(self) -> dt.datetime:
        """When the first day begins, UTC."""
        return self.midnight(self.first)

    @property
    def end(self) -> dt.datetime:
        """When the last day is over, UTC."""
        return self.midnight(self.last + dt.timedelta(days=1))

    def days(self) -> Iterator[dt.date]:
        """Each day."""
        for number in range((self.last - self.first).days + 1):
            yield self.first + dt.timedelta(days=number)

    def midnight(self, day: dt.date) -> dt.datetime:
        """When a day of the zone begins, UTC."""
        return dt.datetime.combine(day, dt.time(), self.zone).astimezone(dt.UTC)

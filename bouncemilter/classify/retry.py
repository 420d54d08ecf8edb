"""The time after which a server asks to be tried again: `try again in 5 minutes`, `Greylisted for 300 seconds`."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter.classify.template import LENGTH, fold

LONGEST: Final = 7 * 86_400
"""Seconds; what asks for more is no retry time. Mail servers give up after five days."""

_UNITS = {
    1: r"s(?:e[ckg]\w*)?",
    60: r"m(?:in\w*)?",
    3600: r"h(?:ours?|rs?|eures?|oras?)?|godz\w*|stunden?",
    86_400: r"d(?:ays?|ni)?|tag\w*",
}
_TIME = re.compile(
    r"(?:again|retry|later|back|wait|after|deferred|gr[ae]ylist\w*|ponow\w*|sprob\w*|erneut|wieder|noch ?einmal|"
    r"reessay\w*|intente\w*|za|in)\b[^0-9]{0,40}?(\d{1,6}) ?(?:"
    + "|".join(f"({unit})" for unit in _UNITS.values())
    + r")\b"
)
_HINT = re.compile(r"again|retry|later|come back|wait|gr[ae]ylist|deferred|ponow|sprob|erneut|wieder|reessay|intente")


def retry_after(text: str) -> int | None:
    """Seconds, or None where the text asks for no certain time."""
    folded = fold(text[:LENGTH])
    if not _HINT.search(folded) or not (found := _TIME.search(folded)):
        return None
    unit = next(seconds for place, seconds in enumerate(_UNITS, 2) if found[place])
    seconds = int(found[1]) * unit
    return seconds if 0 < seconds <= LONGEST else None

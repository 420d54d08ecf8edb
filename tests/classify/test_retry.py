"""Retry times in replies."""

import pytest

from bouncemilter import classify
from bouncemilter.classify import Reply
from bouncemilter.classify.retry import LONGEST, retry_after


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("450 Greylisted, try again in 300 seconds", 300),
        ("451 4.7.1 Greylisted for 5 minutes", 300),
        ("450 4.2.0 <a@example.com>: greylisted for 60s", 60),
        ("451 please retry after 2 hours", 7200),
        ("450 Szara lista, proszę spróbować za 5 minut", 300),
        ("451 bitte in 2 Stunden erneut versuchen, wait 2 stunden", 7200),
        ("451 try again in 1 day", 86_400),
        ("421 try again later", None),
        ("could not be delivered for 5 days", None),
        (f"450 try again in {LONGEST} seconds", LONGEST),
        (f"450 try again in {LONGEST + 1} seconds", None),
        ("450 try again in 0 seconds", None),
        ("", None),
    ],
)
def test_retry_after(text: str, seconds: int | None) -> None:
    """A certain time is read in seconds, anything else is none."""
    assert retry_after(text) == seconds


def test_the_ruling_carries_it() -> None:
    """Two texts of one template keep their own times, and a hard failure has none."""
    rule = classify.builtin().rule
    assert rule(Reply("450 Greylisted, try again in 300 seconds")).retry_after == 300
    assert rule(Reply("450 Greylisted, try again in 60 seconds")).retry_after == 60
    assert rule(Reply("550 5.1.1 User unknown, wait 2 days")).retry_after is None

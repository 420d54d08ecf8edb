"""Words and numbers of reports."""

from __future__ import annotations

import pytest

from bouncemilter import csvfile
from bouncemilter.language import Language
from bouncemilter.statistics import words
from bouncemilter.statistics.query import By
from bouncemilter.statistics.report import Remark


@pytest.mark.parametrize(
    ("share", "english", "polish"),
    [
        (0, "0.00%", "0,00 %"),
        (1, "100.00%", "100,00 %"),
        (0.0204, "2.04%", "2,04 %"),
        (0.9999999, "99.99%", "99,99 %"),
        (1e-9, "0.01%", "0,01 %"),
        (None, "–", "–"),
    ],
)
def test_percent(share: float | None, english: str, polish: str) -> None:
    """Each language writes its own way; what is not all is never rounded to all, nor to nothing."""
    assert words.percent(share, Language.EN) == english
    assert words.percent(share, Language.PL) == polish


def test_number() -> None:
    """Thousands are parted; what is not known is a dash, not zero."""
    assert [words.number(n, Language.PL) for n in (0, 1234567, None)] == ["0", "1 234 567", "–"]
    assert words.number(1234567, Language.EN) == "1,234,567"


@pytest.mark.parametrize(
    ("n", "shown"), [(0, "0"), (500, "500"), (2000, "2000"), (10_000, "10k"), (400_000, "400k"), (1_000_000, "1M")]
)
def test_short(n: int, shown: str) -> None:
    """The numbers of an axis fit beside it on a telephone."""
    assert words.short(n) == shown


def test_share() -> None:
    """A round share is written as the language writes the others."""
    assert [words.share(0.98, language) for language in (Language.EN, Language.PL)] == ["98%", "98 %"]


@pytest.mark.parametrize("language", Language)
def test_every_word(language: Language) -> None:
    """Every heading and remark has words in every language."""
    assert all(words.by(each, language) for each in By)
    assert all(words.remark(each, "7", language) for each in Remark)


def test_no_formulas() -> None:
    """A text that a spreadsheet would take for a formula gets an apostrophe; numbers and other texts stay (F46)."""
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"]
    written = csvfile.encoded([["a"], *([each] for each in [*hostile, "a=1", -1])]).decode()
    assert written.split("\r\n")[1:5] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)"]
    assert "\r\n'\tx\r\n" in written
    assert '\r\n"\'\rx"\r\n' in written
    assert written.endswith("a=1\r\n-1\r\n")

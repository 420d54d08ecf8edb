"""The two languages of everything that people read, and how a text is held in both."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Language(StrEnum):
    """ISO 639-1."""

    EN = "en"
    PL = "pl"


class Words(NamedTuple):
    """A text in each language, with `{0}` or `{name}` where something is filled in."""

    en: str
    pl: str

    def in_(self, language: Language, *given: object, **named: object) -> str:
        """The text in one language, with what is given filled in; without anything, as it stands."""
        text = self.pl if language is Language.PL else self.en
        return text.format(*given, **named) if given or named else text


NO_WORDS: Final = Words("", "")
"""Where nothing is said."""

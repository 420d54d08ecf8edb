"""What is sought by RE2's automata is found as `in` and `re` find it."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncemilter.report import autoreply, challenge, demand, diagnostic, notice, quoting, unsubscribe
from bouncemilter.report.automaton import Guarded, Phrases
from bouncemilter.report.message import Message

PHRASES = Phrases(("nie można", "a.b", "failed", "配信", "fail"))
GUARDED = {
    "asked": unsubscribe._ASKED,
    "denied": unsubscribe._DENIED,
    "separator": quoting._SEPARATOR,
    "labelled": diagnostic._LABELLED,
    "left": autoreply._LEFT,
    "typed": autoreply._TYPED,
    "stay": demand.DENIED,
    "waiting": challenge._WAITING,
    "proven": challenge._PROVEN,
    "told": challenge._TOLD,
    **{f"demand {number}": each for number, each in enumerate(demand.PATTERNS)},
}
TEXTS = [Message(path.read_bytes()).text for path in sorted(Path(__file__).parent.glob("*/*.eml"))]


def test_phrases_are_literal() -> None:
    """A dot is a dot, and what overlaps is found all the same, in the order of the table."""
    assert PHRASES.found("it failed, nie można") == [0, 2, 4]
    assert not PHRASES.within("aXb")
    assert not Phrases(()).within("anything")


@given(st.lists(st.sampled_from([*PHRASES, " ", "a", "ę", "\udc80", "配"])).map("".join))
def test_phrases_are_found_as_by_in(words: str) -> None:
    """Whatever the text, lone surrogates included, RE2 and `in` agree."""
    assert PHRASES.found(words) == [place for place, each in enumerate(PHRASES) if each in words]


def test_guarded_knows_unicode() -> None:
    """Letters beyond ASCII are words, and edges of words, as they are for `re`."""
    guarded = Guarded(r"\bwypisać\b \w{2,}+ z\s{1,3}listy", re.IGNORECASE)
    assert guarded.search("Proszę WYPISAĆ mię z\u00a0listy")
    assert not guarded.search("odwypisać mię z listy")


@pytest.mark.parametrize("name", GUARDED)
def test_guards_hide_nothing(name: str) -> None:
    """In every text of the cases the guarded pattern finds what the pattern alone finds."""
    guarded = GUARDED[name]
    for words in TEXTS:
        for each in (words, notice.fold(words)):
            alone, found = guarded._exact.search(each), guarded.search(each)
            assert (alone and alone.span()) == (found and found.span()), each

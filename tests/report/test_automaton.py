"""What is sought by RE2's automata is found as `in` and `re` find it."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncemilter.model import Action
from bouncemilter.report import absence, autoreply, challenge, diagnostic, notice, quoting, unsubscribe
from bouncemilter.report.automaton import Guarded, Patterns, Phrases
from bouncemilter.report.freeform import generic
from bouncemilter.report.message import Message
from bouncemilter.report.spelling import fold, plain

PHRASES = Phrases(("nie można", "a.b", "failed", "配信", "fail"))
GUARDED = {
    "separator": quoting._SEPARATOR,
    "labelled": diagnostic._LABELLED,
    "left": autoreply._LEFT,
    "typed": autoreply._TYPED,
    "about mail": absence._OF_MAIL,
    "disclaimer": absence._DISCLAIMER,
    "story": absence._STORY,
    "please": absence._PLEASE,
    "wished": absence._WISHED,
    "waiting": challenge._WAITING,
    "proven": challenge._PROVEN,
    "asked who": challenge._ASKED_WHO,
    "told": challenge._TOLD,
    "reached": generic._REACHED,
}
TABLES = {"sentences": absence._SENTENCE, "asked": unsubscribe._PATTERNS, "contrary": unsubscribe._CONTRARY}
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


def test_guarded_looks_around() -> None:
    """What a pattern looks for ahead or behind does not hide what it matches, nor is it forgotten."""
    guarded = Guarded(r"(?<!no )\bi can\b(?! (?:be|do))|f(?<!\w.)or(?=[^\n]{0,3} all)")
    assert [match[0] for match in guarded.finditer("no i can, i can do, i can: for all")] == ["i can", "for"]


def test_guarded_knows_unicode_numbers_and_spaces() -> None:
    """Digits and white space are those that `re` knows, whatever their script."""
    assert Guarded(r"closed\s\d").search("closed\u3000\uff11")
    assert Guarded(r"closed\s[\d.]").search("closed\x1f\u0663")


@pytest.mark.parametrize("name", GUARDED)
def test_guards_hide_nothing(name: str) -> None:
    """In every text of the cases the guarded pattern finds what the pattern alone finds."""
    guarded = GUARDED[name]
    for words in TEXTS:
        for each in (words, fold(words), plain(fold(words))):
            alone, found = guarded._exact.search(each), guarded.search(each)
            assert (alone and alone.span()) == (found and found.span()), each


def alone(patterns: Patterns, words: str) -> set[str]:
    """The names that each pattern's own search tells."""
    return {name for name, pattern in patterns._exact.items() if pattern.search(words)}


PLAIN = sorted({plain(fold(words)) for words in TEXTS})
SENTENCES = sorted({each for words in TEXTS for each in absence._sentences(plain(words[:2000]))})


@pytest.mark.parametrize("name", TABLES)
def test_tables_hide_nothing(name: str) -> None:
    """In every text of the cases, and in every sentence, the table finds what its patterns alone find."""
    table = TABLES[name]
    for each in SENTENCES if name == "sentences" else PLAIN:
        assert table.found(each) == alone(table, each), each
        spans = [match.span() for pattern in table._exact.values() for match in pattern.finditer(each)]
        assert sorted(match.span() for match in table.finditer(each)) == sorted(spans), each


def test_action_by_its_tables() -> None:
    """What is sought at once says what each table says: a delay that is told as one, what is given up, a delay."""
    for each in map(fold, TEXTS):
        final = notice.says(notice.FINAL, each) or notice._PERMANENT.search(each) is not None
        late = notice.says(notice.DUE, each) or (not final and notice.says(notice.DELAYED, each))
        assert notice.action(each) is (Action.DELAYED if late else Action.FAILED), each


WORDS = sorted({word for words in TEXTS for word in plain(words).lower().split() if len(word) < 20})
"""What generated texts are made of: the words by which the tables know a text, and those around them."""


@pytest.mark.parametrize("name", [*GUARDED, *TABLES])
@given(
    st.lists(st.sampled_from([*WORDS, "\n", "\n\n", ":", "?", "\u00a0"]), max_size=30), st.sampled_from([" ", "", "  "])
)
@settings(max_examples=50)
def test_nothing_is_hidden_in_any_words(name: str, words: list[str], space: str) -> None:
    """However the words of the cases are put together, what stands before a pattern lets through what it matches."""
    text = space.join(words)
    if name in TABLES:
        assert TABLES[name].found(text) == alone(TABLES[name], text)
    else:
        assert bool(GUARDED[name].search(text)) == bool(GUARDED[name]._exact.search(text))

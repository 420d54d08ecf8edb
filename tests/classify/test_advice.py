"""The advice for people: whole, in every language, and at one with the vocabulary's classes."""

import pytest

from bouncemilter.classify.advice import Address, _table, advice
from bouncemilter.language import Language
from bouncemilter.model import Category, Class


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("category", Category)
def test_every_category_has_advice(category: Category, language: Language) -> None:
    """Each category says what happened and what to do, in sentences."""
    found = advice(category, language)
    assert found.meaning.endswith(".")
    assert found.action.endswith(".")
    assert str(found) == f"{found.meaning} {found.action}"


def test_no_advice_without_a_category() -> None:
    """The file names the vocabulary's categories and no others."""
    assert set(_table()) == set(Category)


def test_the_languages_differ() -> None:
    """No text was left untranslated."""
    for category in Category:
        assert advice(category).meaning != advice(category, Language.PL).meaning
        assert advice(category).action != advice(category, Language.PL).action


def test_only_the_recipients_failures_cost_an_address() -> None:
    """Hard is deleted, soft waits (a greylisting needs nothing), and nobody is deleted for the sender's fault."""
    for category in Category:
        wanted = {Class.HARD: Address.DELETE, Class.SOFT: Address.WAIT, Class.BLOCK: Address.KEEP}[category.class_]
        assert advice(category).address is (Address.KEEP if category is Category.GREYLISTED else wanted)


@pytest.mark.parametrize(
    ("category", "word"),
    [("message_too_big", "250 KB"), ("sender_reputation", "Do not delete"), ("sender_auth_failed", "SPF")],
)
def test_known_advices(category: str, word: str) -> None:
    """The advices that users of other products know are there."""
    assert word in advice(Category(category)).action

"""Texts in two languages: whichever module holds them, both say it, and fill in the same."""

from __future__ import annotations

import importlib
import pkgutil
import string
from collections.abc import Iterator, Mapping
from enum import Enum
from types import ModuleType

import pytest

import bouncemilter
from bouncemilter.language import NO_WORDS, Language, Words


def modules() -> Iterator[ModuleType]:
    """All of bouncemilter's."""
    for each in pkgutil.walk_packages(bouncemilter.__path__, "bouncemilter."):
        if not each.name.endswith("__main__") and ".migrations." not in each.name:
            yield importlib.import_module(each.name)


def held(value: object, depth: int = 4) -> Iterator[Words]:
    """The texts that stand in a value of a module."""
    if isinstance(value, Words):
        yield value
    elif depth and isinstance(value, Mapping):
        for each in value.values():
            yield from held(each, depth - 1)
    elif depth and isinstance(value, (tuple, list)):
        for each in value:
            yield from held(each, depth - 1)
    elif isinstance(value, type) and issubclass(value, Enum):
        for member in value:
            yield from held(member.value, depth - 1)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both() -> None:
    """No text lacks a language, and both fill in the same."""
    found = [(module.__name__, each) for module in modules() for value in vars(module).values() for each in held(value)]
    assert len({each for _, each in found}) > 200
    for name, each in found:
        if each is NO_WORDS:
            continue
        assert each.en, (name, each)
        assert each.pl, (name, each)
        assert fields(each.en) == fields(each.pl), (name, each)


@pytest.mark.parametrize(
    ("language", "given", "told"),
    [(Language.EN, (), "from {0}"), (Language.EN, (3,), "from 3"), (Language.PL, ("ą{}",), "od ą{}")],
)
def test_in(language: Language, given: tuple[object, ...], told: str) -> None:
    """A text is told in the language that is asked for; what is filled in is taken as it is."""
    assert Words("from {0}", "od {0}").in_(language, *given) == told

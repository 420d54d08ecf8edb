"""What a category means for people: what happened, keep or delete the address, what to do."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from bouncemilter.language import Language, Words
from bouncemilter.model import Category


class Address(StrEnum):
    """What to do with the address."""

    DELETE = "delete"
    WAIT = "wait"
    """Keep it, and delete it if it goes on."""
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Advice:
    """The advice on one category in one language."""

    meaning: str
    """One sentence."""
    address: Address
    action: str
    """One or two sentences."""

    def __str__(self) -> str:
        return f"{self.meaning} {self.action}"


def advice(category: Category, language: Language = Language.EN) -> Advice:
    """The advice on a category; every category has one in every language."""
    row = _table()[category]
    meaning, action = (Words(*texts).in_(language) for texts in zip(row["en"], row["pl"], strict=True))
    return Advice(meaning, Address(row["address"]), action)


@cache
def _table() -> dict[str, dict[str, Any]]:
    """advice.toml, read once a process."""
    return tomllib.loads(resources.files("bouncemilter.classify").joinpath("advice.toml").read_text("utf-8"))

"""README's table for users of the two products against the tests, the commands and the settings."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from bouncemilter.cli import main

ROOT = Path(__file__).parents[2]
FEATURES = [f"A{number}" for number in range(1, 21)] + [f"G{number}" for number in range(1, 11)]
REFERENCE = (ROOT / "config/bouncemilter.toml").read_text()


def rows() -> list[tuple[str, str]]:
    """Number, and how it is done here, of each row."""
    section = (ROOT / "README.md").read_text().partition("## For users of AnoMail and GetResponse\n")[2]
    table = section.partition("\n## ")[0]
    cells = [[each.strip() for each in line.split("|")] for line in table.splitlines() if re.match(r"\| [AG]\d", line)]
    return [(row[1], row[3]) for row in cells]


def test_every_feature() -> None:
    """The table has every feature once, in order, and each has a test that is named after it."""
    assert [number for number, _ in rows()] == FEATURES
    files = ("test_anomail.py", "test_getresponse.py")
    tested = [
        f"{letter.upper()}{int(number)}"
        for name in files
        for letter, number in re.findall(
            r"(?m)^(?:async )?def test_([ag])(\d\d)_", (ROOT / "tests/products" / name).read_text()
        )
    ]
    assert list(dict.fromkeys(tested)) == [number for number, how in rows() if how != "not yet"]


def is_command(words: str) -> bool:
    """Whether it is a command, with options that it has. AssertionError names the option that it has not."""
    context = click.Context(main)
    found: click.Command = main
    for word in words.split():
        if not isinstance(found, click.Group):
            break
        command = found.get_command(context, word)
        if command is None:
            return False
        found = command
    options = {each for parameter in found.params for each in (*parameter.opts, *parameter.secondary_opts)}
    missing = set(re.findall(r"--[a-z-]+", words)) - options
    assert not missing, f"{words}: {missing}"
    return not isinstance(found, click.Group)


def is_setting(words: str) -> bool:
    """Whether a section or a key, with or without its value, stands in the reference configuration."""
    key = words.partition(" =")[0]
    if key.startswith("["):
        return key in REFERENCE
    return re.search(rf"(?m)^#? ?{re.escape(key)} = ", REFERENCE) is not None


@pytest.mark.parametrize(("number", "how"), rows())
def test_what_a_row_names(number: str, how: str) -> None:
    """Each command of a row exists with its options, each setting stands in the reference, and no row is empty."""
    named = re.findall(r"`([^`]+)`", how)
    assert how, number
    for each in named:
        assert is_command(each) or is_setting(each) or each.startswith("systemctl "), f"{number}: {each}"

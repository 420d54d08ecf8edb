"""The options of `doctor`."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from bouncemilter.cli import main


@pytest.mark.parametrize(
    ("option", "value"), [("--smtp", "localhost"), ("--resolver", "a b"), ("--mta", "exim"), ("--resolver", "x:y")]
)
def test_bad_options(option: str, value: str) -> None:
    """What can't be meant is refused before anything is examined."""
    done = CliRunner().invoke(main, ["doctor", option, value, "--config", "/nonexistent"])
    assert done.exit_code == 2
    assert option in done.output

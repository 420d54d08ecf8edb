"""What the built package holds."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_data_files() -> None:
    """Every file of the package that is no code is named as package data; else an installed daemon would lack it."""
    package = ROOT / "bouncemilter"
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"][
        "bouncemilter"
    ]
    named = {path for pattern in patterns for path in package.glob(pattern)}
    found = {path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert found
    assert found - named == set()

"""The case folder: each mail with what must be read in it, and why the case exists."""

import json
from pathlib import Path

import pytest

from bouncemilter import report

CASES = Path(__file__).parent / "cases"


def matches(found: object, expected: object) -> bool:
    """Whether `found` has all that `expected` names: dicts by attribute, lists element by element."""
    if isinstance(expected, dict):
        return all(matches(getattr(found, name), value) for name, value in expected.items())
    if isinstance(expected, list):
        assert isinstance(found, tuple)
        return len(found) == len(expected) and all(map(matches, found, expected))
    return found == expected


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("*.eml")))
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_case(name: str, line_end: bytes) -> None:
    """Every case is read as its expectation says, with either line end."""
    expected = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    why = expected.pop("why")
    found = report.read((CASES / f"{name}.eml").read_bytes().replace(b"\n", line_end))
    for key, value in expected.items():
        assert matches(getattr(found, key), value), f"{why} {key}: {getattr(found, key)!r}, not {value!r}"


def test_cases_are_whole() -> None:
    """Every mail has an expectation with a reason and a kind."""
    assert {path.stem for path in CASES.glob("*.eml")} == {path.stem for path in CASES.glob("*.json")}
    for path in CASES.glob("*.json"):
        assert {"why", "kind"} <= json.loads(path.read_text("utf-8")).keys(), path.name

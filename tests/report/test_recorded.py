"""Reports that real MTAs made (tests/record holds the recipe): each is read and classified as its label says."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from bouncemilter import classify_bytes

RECORDED = Path(__file__).parent / "recorded"
LABELS: dict[str, dict[str, Any]] = tomllib.loads((RECORDED / "labels.toml").read_text("utf-8"))


def known(name: str, label: dict[str, Any]) -> Any:
    """The label as a test parameter; what is known to be misread must fail."""
    marks = [pytest.mark.xfail(reason=label["wrong"], strict=True)] if "wrong" in label else []
    return pytest.param(label, Path(RECORDED, f"{name}.eml"), id=name, marks=marks)


@pytest.mark.parametrize(("label", "path"), [known(name, label) for name, label in LABELS.items()])
def test_recorded(label: dict[str, Any], path: Path) -> None:
    """The kind, the addresses, each one's action, and a category that the label accepts."""
    found = classify_bytes(path.read_bytes())
    expected = label["recipients"]
    categories = {each["address"]: set(each["categories"]) or {None} for each in expected}
    assert found.kind == label["kind"], label["why"]
    assert sorted((each.recipient.address, str(each.recipient.action)) for each in found.recipients) == sorted(
        (each["address"], each["action"]) for each in expected
    ), label["why"]
    for each in found.recipients:
        category = each.ruling.category if each.ruling else None
        assert category in categories[each.recipient.address], f"{label['why']} {each.ruling}"


def test_every_mail_has_a_label() -> None:
    """No mail lies there unread, and no label lost its mail."""
    assert {path.stem for path in RECORDED.glob("*.eml")} == LABELS.keys()

"""Replies with labels that are kept outside of the project, where they are at hand."""

import json
from pathlib import Path

import pytest

from bouncemilter import classify
from bouncemilter.classify import Reply
from bouncemilter.model import Class

_REPLIES = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "replies.jsonl"


@pytest.mark.skipif(not _REPLIES.exists(), reason="no labelled replies at hand")
def test_labelled_replies() -> None:
    """No reply about the sender alone is read as the recipient's fault, and the shares stay above their floors."""
    rows = [json.loads(line) for line in _REPLIES.read_text(encoding="utf-8").splitlines()]
    rulings = [classify.builtin().rule(Reply(row["text"])) for row in rows]
    pairs = list(zip(rows, rulings, strict=True))
    false_hits = [row["text"] for row, ruling in pairs if row["class_ok"] == ["block"] and ruling.class_ is Class.HARD]
    assert false_hits == []
    assert sum(ruling.class_ in row["class_ok"] for row, ruling in pairs) >= 0.97 * len(rows)
    assert sum(ruling.category in row["accept"] for row, ruling in pairs) >= 0.95 * len(rows)

"""Floors on a corpus of real mails that lies beside the project on some machines; skipped where it doesn't."""

import json
from collections import Counter
from pathlib import Path

import pytest

from bouncemilter import report
from bouncemilter.model import Kind

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
HARMLESS = (Kind.MAIL, Kind.REPORT, Kind.CHALLENGE)
# Per cent of each kind that must be told right: a little below what is reached.
FLOORS = {"bounce": 98.5, "delayed": 97, "complaint": 95, "auto_reply": 95, "unsubscribe": 95}


@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus beside the project")
@pytest.mark.parametrize("folder", ["", "authored"])
def test_corpus(folder: str) -> None:
    """Every kind is recognised to its floor, and no ordinary mail is eaten."""
    wanted: Counter[str] = Counter()
    right: Counter[str] = Counter()
    eaten = []
    for line in (CORPUS / folder / "labels.jsonl").read_text("utf-8").splitlines():
        label = json.loads(line)
        found = report.read((CORPUS / folder / "mails" / label["file"]).read_bytes())
        wanted[label["kind"][0]] += 1
        right[label["kind"][0]] += found.kind in label["kind"]
        if label["kind"][0] in ("mail", "report") and found.kind not in (*label["kind"], *HARMLESS):
            eaten.append((label["file"], found.kind))
    assert not eaten
    for kind, floor in FLOORS.items():
        assert 100 * right[kind] >= floor * wanted[kind], f"{kind}: {right[kind]} of {wanted[kind]}"

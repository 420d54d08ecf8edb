"""Records with all of their cells."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncemilter.lists import ListError, ListOptions, Source, open_records
from bouncemilter.lists import records as module

FIRST = ListOptions(column="1")


def source(content: str) -> Source:
    return Source(Path("list.csv"), io.BytesIO(content.encode()))


def both(content: str) -> tuple[list[str], list[str]]:
    """The first cells as those see them who copy a list, and as those do who want all cells."""
    found = open_records(source(content), FIRST)
    copied: list[str] = []
    _ = found.layout
    found.copy(None, lambda _, cell: copied.append(cell) is None, lambda _: None)
    return copied, [cells[0].strip() if cells else "" for _, cells in found.records()]


_PIECES = st.sampled_from(
    ['"', '""', ",", ";", "\n", "\r\n", "\r", "jan@wp.pl", "x", " ", "ą", '"a,b"', '"q\nr"', "email,x\n", "sep=;\n"]
)


@given(st.lists(_PIECES, min_size=1, max_size=25).map("".join), st.sampled_from([5, 40, 1 << 16]))
@settings(max_examples=150)
def test_one_reading(content: str, chunk: int) -> None:
    """Whatever a text holds, and however it is cut into pieces, both ways find the same cells, or refuse it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK", chunk)
        try:
            copied, taken = both(content)
        except ListError:
            return
    assert copied == taken


def test_refused_by_both() -> None:
    """A quote that is never closed, far behind, is refused by both ways, with its place."""
    content = "jan@wp.pl,x\n" * 30_000 + '"ola@op.pl,x\n'
    found = open_records(source(content), FIRST)
    with pytest.raises(ListError, match="record 30001: a quote is opened and never closed"):
        found.copy(None, lambda *_: True, lambda _: None)
    with pytest.raises(ListError, match="line 30001: a quote is opened and never closed"):
        list(found.records())


def test_lines() -> None:
    """A record is named by the line in which it begins."""
    found = open_records(source('sep=,\n\nemail,x\njan@wp.pl,"a\nb"\n\nola@op.pl,c\n'))
    assert [number for number, cells in found.records() if any(cells)] == [4, 7]

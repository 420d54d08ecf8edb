"""Tables of who was left out of a list."""

from __future__ import annotations

from pathlib import Path

from bouncemilter.lists.table import Table


def test_formulas(tmp_path: Path) -> None:
    """A CSV cell that a spreadsheet would run is defused; JSON is as it was."""
    rows = [("=1+1@x.pl", 'a"b', None), ("+x@x.pl", "@x", "-1")]
    for name, wanted in (
        ("r.csv", "a,b,c\r\n'=1+1@x.pl,\"a\"\"b\",\r\n'+x@x.pl,'@x,'-1\r\n"),
        ("r.jsonl", '{"a": "=1+1@x.pl", "b": "a\\"b", "c": null}\n{"a": "+x@x.pl", "b": "@x", "c": "-1"}\n'),
    ):
        path = tmp_path / name
        with path.open("wb") as out:
            Table(out, path, ("a", "b", "c")).add(rows)
        assert path.read_bytes().decode() == wanted

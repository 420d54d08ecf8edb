"""Addresses in running text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncemilter.report.mention import TRIED, mentions


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", []),
        ("nobody", []),
        ("to jan@example.com.", ["jan@example.com."]),
        ("<jan@example.com>, ewa+x@example.pl", ["jan@example.com", "ewa+x@example.pl"]),
        ('"jan nowak"@example.com', ['"jan nowak"@example.com']),
        ('x" "y@example.com', ["y@example.com"]),
        ('"a\nb"@example.com', []),
        ("a@b@c", ["a@b"]),
        ("@example.com", []),
        ("jan@", []),
        ("@@@", []),
        ("źródło@example.pl", ["źródło@example.pl"]),
        ("a" * 64 + "@b.pl", ["a" * 64 + "@b.pl"]),
        ("a" * 65 + "@b.pl", []),
    ],
)
def test_mentions(words: str, found: list[str]) -> None:
    """Every address with a local part that may be one is found, and nothing else."""
    assert [each.written for each in mentions(words)] == found


@given(st.text(alphabet='ab.@"< \n-é', max_size=60))
def test_places(words: str) -> None:
    """A mention stands where it says, in order and apart from the others, and has both its sides."""
    end = 0
    for each in mentions(words):
        assert words[each.start : each.end] == each.written
        assert each.start >= end
        end = each.end
        local, _, domain = each.written.rpartition("@")
        assert local
        assert domain


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_signs_that_are_tried(more: int) -> None:
    """As many signs as the limit are looked at."""
    assert sum(1 for _ in mentions("a@b " * (TRIED + more))) == min(TRIED + more, TRIED)

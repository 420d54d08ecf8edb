"""The addresses in one cell."""

from __future__ import annotations

import pytest

from bouncemilter.lists import addresses


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("jan@wp.pl", ("jan@wp.pl",)),
        ("  jan@wp.pl ", ("jan@wp.pl",)),
        ("<jan@wp.pl>", ("<jan@wp.pl>",)),
        ("Jan Nowak <jan@wp.pl>", ("jan@wp.pl",)),
        ("Jan <jan@wp.pl>, Ola <ola@op.pl>", ("jan@wp.pl", "ola@op.pl")),
        ("jan@wp.pl; ola@op.pl", ("jan@wp.pl", "ola@op.pl")),
        ("mailto:jan@wp.pl", ("jan@wp.pl",)),
        ("'jan@wp.pl'", ("jan@wp.pl",)),
        ("ś@żółw.pl", ("ś@żółw.pl",)),
        ("write to jan@wp.pl", ()),
        ("jan@wp.pl and more", ()),
        ("jan(at)wp.pl", ()),
        ("@", ()),
        ("", ()),
        ("a@b " * 2000, ()),
    ],
)
def test_addresses(cell: str, wanted: tuple[str, ...]) -> None:
    """A cell with addresses alone gives them; any other text gives none."""
    assert addresses(cell) == wanted

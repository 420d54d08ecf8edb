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
        ("jan@z\u0307o\u0301łw.pl", ("jan@żółw.pl",)),
        ("\ufeffjan@wp.pl", ("jan@wp.pl",)),
        ("\u00a0jan@\u200bwp.pl\u200b", ("jan@wp.pl",)),
        ("jan@wp.pl\u2028ola@op.pl", ("jan@wp.pl", "ola@op.pl")),
        ("jan@wp.pl\nola@op.pl", ("jan@wp.pl", "ola@op.pl")),
        ("jan@wp.pl/ola@op.pl", ("jan@wp.pl", "ola@op.pl")),
        ("jan@wp.pl / ola@op.pl", ("jan@wp.pl", "ola@op.pl")),
        ("jan@wp.pl; JAN@wp.pl", ("JAN@wp.pl",)),
        ("jan@wp.pl <jan@wp.pl>", ("jan@wp.pl",)),
        ("Jan <jan@wp.pl>; ola@op.pl", ("jan@wp.pl", "ola@op.pl")),
        ("[jan@wp.pl]", ("jan@wp.pl",)),
        ("(jan@wp.pl)", ("jan@wp.pl",)),
        ("jan@wp.pl (Jan)", ("jan@wp.pl",)),
        ('="jan@wp.pl"', ("jan@wp.pl",)),
        ("MAILTO:jan@wp.pl?subject=x", ("jan@wp.pl",)),
        ("jan @wp.pl", ()),
        (" / ", ()),
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

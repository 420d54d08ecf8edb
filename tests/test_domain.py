"""Registrable domains."""

from __future__ import annotations

import pytest

from bouncemilter import domain


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mx1.poczta.wp.pl", "wp.pl"),
        ("MX.Example.COM.", "example.com"),
        ("example.com.pl", "example.com.pl"),
        ("mail.example.com.pl", "example.com.pl"),
        ("news.example.co.uk", "example.co.uk"),
        ("poczta.żółw.pl", "xn--w-uga1v8h.pl"),
        ("com.pl", "com.pl"),
        ("localhost", "localhost"),
        ("", ""),
    ],
)
def test_registrable(name: str, expected: str) -> None:
    """Hosts of one owner have one registrable domain; a public suffix or a bare host is itself."""
    assert domain.registrable(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("com.pl", True), ("co.uk", True), ("pl", True), ("example.pl", False), ("mail.example.com.pl", False)],
)
def test_is_public_suffix(name: str, expected: bool) -> None:
    """Below a public suffix anybody can register; below a registered domain only its owner."""
    assert domain.is_public_suffix(name) is expected

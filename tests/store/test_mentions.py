"""The forms in which texts hold an address, and what is left of them without it."""

from __future__ import annotations

import pytest

from bouncemilter.store.mentions import Name

JAN, IDN = "jan@klient.pl", "jan@xn--w-uga1v8h.pl"


@pytest.mark.parametrize(
    ("key", "text", "left"),
    [
        (JAN, "<Jan@Klient.PL>: unknown", "<[forgotten]>: unknown"),
        (JAN, "to=jan@klient.pl, relay", "to=[forgotten], relay"),
        (JAN, '<"jan"@klient.pl>', "<[forgotten]>"),
        (JAN, "prvs=0421a=jan@klient.pl", "prvs=0421a=[forgotten]"),
        (JAN, "b+jan=klient.pl@bounces.test", "b+[forgotten]@bounces.test"),
        (JAN, "list-jan=klient.pl@bounces.test", "list-[forgotten]@bounces.test"),
        (JAN, "SRS0=aa=bb=klient.pl=jan@fwd.test", "SRS0=aa=bb=[forgotten]@fwd.test"),
        (JAN, "https://h.test/?u=jan%40klient.pl&x", "https://h.test/?u=[forgotten]&x"),
        (JAN, "https://h.test/?r=https%3A%2F%2Fx%2Fjan%40klient.pl", "https://h.test/?r=https%3A%2F%2Fx%2F[forgotten]"),
        (JAN, "https://h.test/off/jan@klient.pl", "https://h.test/off/[forgotten]"),
        (JAN, "jan%klient.pl@relay.test", "[forgotten]@relay.test"),
        (IDN, "jan@XN--W-UGA1V8H.pl i jan@ŻÓŁW.pl", "[forgotten] i [forgotten]"),
        ("zoë@klient.pl", "ZOË@klient.pl, zo%C3%AB%40klient.pl", "[forgotten], [forgotten]"),
        ("jan+x@klient.pl", "jan+x@klient.pl jan%2Bx%40klient.pl", "[forgotten] [forgotten]"),
    ],
)
def test_taken_out(key: str, text: str, left: str) -> None:
    """An address goes in every form, and nothing else of the text does."""
    assert Name(key).without(text, text.lower()) == left


@pytest.mark.parametrize(
    "text",
    [
        "joejan@klient.pl",
        "jan+x@klient.pl",
        "joe.jan@klient.pl",
        "joe-jan@klient.pl",
        "jan@klient.pl.test",
        "jan@klient.plus",
        "jan@moj-klient.pl",
        "joe.jan=klient.pl@bounces.test",
        "jan at klient.pl",
    ],
)
def test_others_stay(text: str) -> None:
    """An address that ends or begins like it is another one."""
    assert Name(JAN).without(text, text.lower()) == text

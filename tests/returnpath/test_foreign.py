"""Return paths of other software: whom they name, what wraps them, and who is inside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncemilter.returnpath import foreign
from bouncemilter.returnpath.foreign import Wrapping


@pytest.mark.parametrize(
    ("extension", "prefix", "named"),
    [
        ("jan=example.pl", "b", "jan@example.pl"),
        ("jan=work=example.pl", "b", "jan=work@example.pl"),
        ("jan==example.pl", "list-owner", "jan@example.pl"),
        ("jan==example.pl==news", "bounce", "jan@example.pl"),
        ("jan==example.pl==news==r", "bounce", "jan@example.pl"),
        ("17-jan=example.pl", "news-return", "jan@example.pl"),
        ("17-jan=example.pl", "News-Return", "jan@example.pl"),
        ("17-24-jan=example.pl", "news-return", "24-jan@example.pl"),
        ("17-jan=example.pl", "news", "17-jan@example.pl"),
        ("17-=example.pl", "news-return", "17-@example.pl"),
        ("17", "news-return", ""),
        ("jan", "b", ""),
        ("==example.pl", "b", "=@example.pl"),
        ("jan==", "b", ""),
        ("jan=example", "b", ""),
        ("", "b", ""),
    ],
)
def test_named_recipient(extension: str, prefix: str, named: str) -> None:
    """What stands behind the prefix names a whole address, or nobody."""
    assert foreign.named_recipient(extension, prefix=prefix) == named


@pytest.mark.parametrize(
    ("sender", "wrapping"),
    [
        ("b+jan=example.com@bounces.example.pl", Wrapping.VERP),
        ("<B+JAN=EXAMPLE.COM@bounces.example.pl>", Wrapping.VERP),
        ('"b+jan=example.com"@bounces.example.pl', Wrapping.VERP),
        ("news-bounces+jan=example.com@lists.example.pl", Wrapping.VERP),
        ("news-jan=example.com@lists.example.pl", Wrapping.VERP),
        ("news-owner+jan==example.com@lists.example.pl", Wrapping.VERP),
        ("bounce+jan==example.com==news@lists.example.pl", Wrapping.VERP),
        ("jan+caf_=ewa=example.com@example.pl", Wrapping.VERP),
        ("news-return-17-jan=example.com@lists.example.pl", Wrapping.QMAIL),
        ("news-return-17-@lists.example.pl", Wrapping.QMAIL),
        ("news-return-17@lists.example.pl", Wrapping.QMAIL),
        ("prvs=0123abcdef=jan@example.pl", Wrapping.BATV),
        ("PRVS=0123ABCDEF=Jan@example.pl", Wrapping.BATV),
        ("prvs=jan/0123abcdef@example.pl", Wrapping.BATV),
        ("btv1==0123abcdef4==jan@example.pl", Wrapping.BATV),
        ("msprvs1=17984abcdefgh=bounces-1@example.pl", Wrapping.BATV),
        ("SRS0=HHHH=TT=example.com=jan@example.pl", Wrapping.SRS),
        ("srs0+hhhh=tt=example.com=jan@example.pl", Wrapping.SRS),
        ("SRS1=HHHH=first.example==HHH=TT=example.com=jan@example.pl", Wrapping.SRS),
        ("b+jan=example.com=fkkz44vjqcaqd2lmoxvsozmx3l@bounces.example.pl", Wrapping.SIGNED),
        ("B+JKKZ44VJQCAQDEAHAVCTQ7QFC4PKN243PJA@bounces.example.pl", Wrapping.SIGNED),
        ("news-nkkz44vjqcaqdaqcqmbyiju6r6zsrtga3z@bounces.example.pl", Wrapping.SIGNED),
        ("", None),
        ("<>", None),
        ("jan", None),
        ("jan@example.pl", None),
        ("b@bounces.example.pl", None),
        ("jan+news@example.pl", None),
        ("jan-maria.kowalska@example.pl", None),
        ("a=b@example.pl", None),
        ("news-bounces@lists.example.pl", None),
        ("return-17@example.pl", None),
        ("b+jan=example@bounces.example.pl", None),
        ("prvs@example.pl", None),
        ("SRS0@example.pl", None),
        ("jan+abcdefghijklmnop@example.pl", None),
    ],
)
def test_wrapping(sender: str, wrapping: Wrapping | None) -> None:
    """A sender that carries something already is told from a plain address, a tagged one, and none."""
    assert foreign.wrapping(sender) is wrapping
    assert foreign.is_wrapped(sender) is (wrapping is not None)


@pytest.mark.parametrize(
    ("sender", "original"),
    [
        ("prvs=0123abcdef=jan@example.pl", "jan@example.pl"),
        ("<PRVS=0123ABCDEF=Jan@example.pl>", "Jan@example.pl"),
        ("prvs=0123abcdef=jan=praca@example.pl", "jan=praca@example.pl"),
        ("prvs=0123abcdef=@example.pl", ""),
        ("prvs=jan/0123abcdef@example.pl", ""),
        ("prvs=012=jan@example.pl", ""),
        ("btv1==0123abcdef4==jan@example.pl", "jan@example.pl"),
        ("SRS0=HHHH=TT=example.com=jan@example.pl", "jan@example.com"),
        ("srs0-hhhh=tt=example.com=jan=praca@example.pl", "jan=praca@example.com"),
        ("SRS0=HHHH=TT=example.com@example.pl", ""),
        ("SRS1=HHHH=first.example==HHH=TT=example.com=jan@example.pl", "jan@example.com"),
        ("srs1+HHHH=first.example=+HHH=TT=example.com=jan@example.pl", "jan@example.com"),
        ("SRS1=HHHH=first.example=jan@example.pl", ""),
        ("jan@example.pl", ""),
        ("b+jan=example.com@bounces.example.pl", ""),
        ("<>", ""),
        ("", ""),
    ],
)
def test_unwrap(sender: str, original: str) -> None:
    """BATV and SRS give back who sent it; other addresses, and broken ones, nobody."""
    assert foreign.unwrap(sender) == original


@given(st.text(alphabet='abK7=+-./@"<>%! SRS01prvs\u212a\u0142\x00\ud800', max_size=90))
def test_anything(sender: str) -> None:
    """Whatever a sender is, reading it raises nothing, and what is unwrapped was wrapped."""
    assert foreign.unwrap(sender) == "" or foreign.is_wrapped(sender)
    foreign.named_recipient(sender, prefix="x-return")

"""Which envelope recipients are ours, and whom an unsigned VERP address names."""

from __future__ import annotations

import pytest

from bouncemilter.returnpath import Ownership, Recognizer, ReturnPath

ENVELOPES = Recognizer(
    [
        ReturnPath("bounces.example.com", "b", sender_domains=("example.com", "shop.example.com")),
        ReturnPath("bounces.example.com", "b-news"),
        ReturnPath("bounces.example.com", "news"),
        ReturnPath("lists.example.org", "list-bounces"),
        ReturnPath("dash.example.net", "news", delimiters="-="),
        ReturnPath("dash.example.net", "news-pl", delimiters="-="),
        ReturnPath("dash.example.net", "news-return", delimiters="-="),
        ReturnPath("zwroty.żółw.pl", "Zwrot"),
    ],
    ["newsletter@example.pl", "Biuro@Żółw.pl", "Zwroty+2026@example.pl"],
)


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("b@bounces.example.com", Ownership.RETURN_PATH),
        ("<b@bounces.example.com>", Ownership.RETURN_PATH),
        ("b+@bounces.example.com", Ownership.RETURN_PATH),
        ("b+anything@bounces.example.com", Ownership.RETURN_PATH),
        ("B+JAN=EXAMPLE.PL@BOUNCES.EXAMPLE.COM", Ownership.RETURN_PATH),
        ("b+jan=example.pl@bounces.example.com.", Ownership.RETURN_PATH),
        ('"b+jan=example.pl"@bounces.example.com', Ownership.RETURN_PATH),
        ("b-news@bounces.example.com", Ownership.RETURN_PATH),
        ("zwrot+jan=example.pl@xn--w-uga1v8h.pl", None),
        ("zwrot+jan=example.pl@zwroty.xn--w-uga1v8h.pl", Ownership.RETURN_PATH),
        ("ZWROT+jan=example.pl@ZWROTY.ŻÓŁW.PL", Ownership.RETURN_PATH),
        ("bb@bounces.example.com", None),
        ("b-x@bounces.example.com", None),
        ("b=x@bounces.example.com", None),
        ("b.news@bounces.example.com", None),
        ("jan@bounces.example.com", None),
        ("bounces.example.com", None),
        ("b+x@mail.bounces.example.com", None),
        ("b+x@example.com", None),
        ("b+x@evil-bounces.example.com", None),
        ("b+x@bounces.example.com.evil.net", None),
        ("b+x@bounces.example.com@evil.net", None),
        ("postmaster@bounces.example.com", Ownership.PASSED),
        ("Abuse@BOUNCES.example.com", Ownership.PASSED),
        ("postmaster+x@bounces.example.com", None),
        ("hostmaster@bounces.example.com", None),
        ("postmaster@example.com", None),
        ("newsletter@example.pl", Ownership.WATCHED),
        ("<NewsLetter@Example.PL>", Ownership.WATCHED),
        ("newsletter+x@example.pl", None),
        ("newsletter@mail.example.pl", None),
        ("news@example.pl", None),
        ("newsletter@example.pl.evil.net", None),
        ("biuro@xn--w-uga1v8h.pl", Ownership.WATCHED),
        ("zwroty+2026@example.pl", Ownership.WATCHED),
        ("zwroty@example.pl", None),
        ("postmaster@example.pl", None),
        ("", None),
        ("<>", None),
        ("postmaster", None),
    ],
)
def test_ownership(recipient: str, expected: Ownership | None) -> None:
    """Domain and prefix alone make a recipient ours; watched addresses are exact; everything else is not ours."""
    assert ENVELOPES.ownership(recipient) is expected


@pytest.mark.parametrize(
    ("recipient", "named"),
    [
        ("b+jan=example.pl@bounces.example.com", "jan@example.pl"),
        ("<b+jan=example.pl@bounces.example.com>", "jan@example.pl"),
        ("B+JAN=EXAMPLE.PL@BOUNCES.EXAMPLE.COM", "JAN@EXAMPLE.PL"),
        ("b+Jan.Kowalski=Example.PL@bounces.example.com", "Jan.Kowalski@Example.PL"),
        ("b+user=with=equals=example.pl@bounces.example.com", "user=with=equals@example.pl"),
        ("b+jan+tag=example.pl@bounces.example.com", "jan+tag@example.pl"),
        ("b+jan=my-domain.example.pl@bounces.example.com", "jan@my-domain.example.pl"),
        ("b+o'neil=example.com@bounces.example.com", "o'neil@example.com"),
        ("b+jan=żółw.pl@bounces.example.com", "jan@żółw.pl"),
        ("b+b+ewa=example.pl=bounces.example.com@bounces.example.com", "b+ewa=example.pl@bounces.example.com"),
        ('"b+jan=example.pl"@bounces.example.com', "jan@example.pl"),
        ("b-news+jan=example.pl@bounces.example.com", "jan@example.pl"),
        ("list-bounces+jan=example.pl@lists.example.org", "jan@example.pl"),
        ("news-jan=example.pl@dash.example.net", "jan@example.pl"),
        ("news-pl-jan=example.pl@dash.example.net", "jan@example.pl"),
        ("news-plus-jan=example.pl@dash.example.net", "plus-jan@example.pl"),
        ("zwrot+jan=example.pl@zwroty.xn--w-uga1v8h.pl", "jan@example.pl"),
        ("b+jan==example.pl@bounces.example.com", "jan@example.pl"),
        ("b+jan==example.pl==news==w@bounces.example.com", "jan@example.pl"),
        ("news-17-jan=example.pl@dash.example.net", "17-jan@example.pl"),
        ("news-return-17-jan=example.pl@dash.example.net", "jan@example.pl"),
        ("news-return-jan=example.pl@dash.example.net", "jan@example.pl"),
        ("b+jan=example.pl=fkkz44vjqcaqd2lmoxvsozmx3l@bounces.example.com", ""),
        ("b+jkkz44vjqcaqdeahavctq7qfc4pkn243pja@bounces.example.com", ""),
        ("b@bounces.example.com", ""),
        ("b+@bounces.example.com", ""),
        ("b+jan@bounces.example.com", ""),
        ("b+=example.pl@bounces.example.com", ""),
        ("b+jan=@bounces.example.com", ""),
        ("b+jan=localhost@bounces.example.com", ""),
        ("b+jan=example..pl@bounces.example.com", ""),
        ("b+jan=example.pl+x@bounces.example.com", ""),
        ("b=jan=example.pl@bounces.example.com", ""),
        ("jan=example.pl@bounces.example.com", ""),
        ("postmaster@bounces.example.com", ""),
        ("newsletter+jan=example.pl@example.pl", ""),
        ("b+jan=example.pl@elsewhere.example.net", ""),
        ("", ""),
        ("b+jan=example.pl@bounces.example.com@evil.net", ""),
    ],
)
def test_verp_recipient(recipient: str, named: str) -> None:
    """VERP names a recipient, as written; what is no whole address, and what is signed, names nobody."""
    assert ENVELOPES.verp_recipient(recipient) == named


@pytest.mark.parametrize(
    ("recipient", "domain"),
    [
        ("b+jan=example.pl@bounces.example.com", "example.com"),
        ("b-news+jan=example.pl@bounces.example.com", "bounces.example.com"),
        ("zwrot@zwroty.żółw.pl", "zwroty.xn--w-uga1v8h.pl"),
        ("newsletter@example.pl", "example.pl"),
        ("BIURO@ŻÓŁW.pl", "xn--w-uga1v8h.pl"),
        ("ewa@example.pl", ""),
        ("postmaster@bounces.example.com", ""),
        ("", ""),
    ],
)
def test_sender_domain(recipient: str, domain: str) -> None:
    """Mail that returns here is sent in the name of the first sender domain, or of the watched address's own."""
    assert ENVELOPES.sender_domain(recipient) == domain


@pytest.mark.parametrize("order", [("news", "news-pl"), ("news-pl", "news")])
def test_prefix_of_a_prefix(order: tuple[str, ...]) -> None:
    """Where one prefix begins another, the longer one is read, whichever is configured first."""
    found = Recognizer([ReturnPath("r.example.com", each, "-=", (f"{each}.example.com",)) for each in order])
    assert found.verp_recipient("news-pl-jan=example.pl@r.example.com") == "jan@example.pl"
    assert found.sender_domain("news-pl-jan=example.pl@r.example.com") == "news-pl.example.com"
    assert found.sender_domain("news-jan=example.pl@r.example.com") == "news.example.com"


@pytest.mark.parametrize(
    ("recipient", "prefix"),
    [
        ("b@bounces.example.com", "b"),
        ("<B-News+jan=example.pl@Bounces.Example.com>", "b-news"),
        ("zwrot+x@zwroty.żółw.pl", "Zwrot"),
        ("postmaster@bounces.example.com", ""),
        ("newsletter@example.pl", ""),
        ("", ""),
    ],
)
def test_path(recipient: str, prefix: str) -> None:
    """An envelope recipient belongs to one return path, or to none."""
    found = ENVELOPES.path(recipient)
    assert (found.prefix if found else "") == prefix


def test_path_as_text() -> None:
    """A return path is written as the address of which its tokens are part."""
    assert str(ReturnPath("Zwroty.Żółw.pl", "Zwrot")) == "zwrot@zwroty.xn--w-uga1v8h.pl"


def test_domains() -> None:
    """The return-path domains are known as A-labels."""
    assert ENVELOPES.domains == {
        "bounces.example.com",
        "lists.example.org",
        "dash.example.net",
        "zwroty.xn--w-uga1v8h.pl",
    }


def test_nothing_configured() -> None:
    """Without configuration nothing is ours."""
    nothing = Recognizer([])
    assert nothing.ownership("b+jan=example.pl@bounces.example.com") is None
    assert nothing.verp_recipient("b+jan=example.pl@bounces.example.com") == ""
    assert nothing.domains == frozenset()


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("prvs=0123abcdef=jan@example.pl", Ownership.WATCHED),
        ("PRVS=0123ABCDEF=Jan@Example.PL", Ownership.WATCHED),
        ("SRS0=abcd=ef=example.pl=jan@relay.example.com", Ownership.WATCHED),
        ("prvs=0123abcdef=ewa@example.pl", None),
        ("prvs=0123abcdef=@example.pl", None),
        ("x=jan@example.pl", None),
    ],
)
def test_wrapped(recipient: str, expected: Ownership | None) -> None:
    """A watched address that BATV or SRS has wrapped is the same mailbox; another one stays another one."""
    assert Recognizer([], ["jan@example.pl"]).ownership(recipient) is expected

"""Address keys (F37): what is the same mailbox, and what must never be taken for the same."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bouncemilter import address, limits
from bouncemilter.address import Address

CYRILLIC_A = "\u0430"
FULL_WIDTH_A = "\uff41"
KELVIN = "\u212a"
LONG_S = "\u017f"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jan@example.pl", Address("jan", "example.pl")),
        ("  Jan.Kowalski@Example.PL  ", Address("Jan.Kowalski", "Example.PL")),
        ("<jan@example.pl>", Address("jan", "example.pl")),
        ("< jan@example.pl >", Address("jan", "example.pl")),
        ("rfc822;jan@example.pl", Address("jan", "example.pl")),
        ("RFC822; <jan@example.pl>", Address("jan", "example.pl")),
        ("utf-8; zażółć@example.pl", Address("zażółć", "example.pl")),
        ("SMTP;jan@example.pl", Address("jan", "example.pl")),
        ("@relay.example.org,@hub.example.net:jan@example.pl", Address("jan", "example.pl")),
        ("<@relay.example.org:jan@example.pl>", Address("jan", "example.pl")),
        ("jan@example.pl.", Address("jan", "example.pl")),
        ("jan@localhost", Address("jan", "localhost")),
        ('"jan kowalski"@example.pl', Address('"jan kowalski"', "example.pl")),
        ('"jan@home"@example.pl', Address('"jan@home"', "example.pl")),
        ('"a;b"@example.pl', Address('"a;b"', "example.pl")),
        ("o'neil+tag=x@example.com", Address("o'neil+tag=x", "example.com")),
        ("foo..bar.@example.ne.jp", Address("foo..bar.", "example.ne.jp")),
        ("jan@[192.0.2.1]", Address("jan", "[192.0.2.1]")),
        ("jan@[IPv6:2001:db8::1]", Address("jan", "[IPv6:2001:db8::1]")),
        ("jan@żółw.pl", Address("jan", "żółw.pl")),
        ("jan@mail_host.example.pl", Address("jan", "mail_host.example.pl")),
    ],
)
def test_split(text: str, expected: Address) -> None:
    """What stands around a mailbox is taken off, and both its sides stay as they were written."""
    assert address.split(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<>",
        "@",
        "jan",
        "jan@",
        "@example.pl",
        '""',
        "jan@.",
        "jan@..",
        "jan@example..pl",
        "jan@.example.pl",
        "jan@example.pl..",
        "jan kowalski@example.pl",
        "jan\u00a0k@example.pl",
        "jan@exam ple.pl",
        "jan@example.pl>",
        "<<jan@example.pl>>",
        "jan@home@example.pl",
        "@relay.example.org,jan@example.pl",
        "mailto:jan@example.pl",
        "jan,ewa@example.pl",
        "jan;ewa@example.pl",
        'j"an@example.pl',
        "jan\\@example.pl",
        "(jan)@example.pl",
        "jan@example.pl:25",
        "jan@[192.0.2.1",
        "jan@[]",
        "x400;jan@example.pl",
        "jan\x00@example.pl",
        "jan@example\x00.pl",
        "jan\x1b@example.pl",
        "jan\u202e@example.pl",
        "jan\u200b@example.pl",
        "\ufeffjan@example.pl",
        "jan\ud800@example.pl",
        '"jan\nkowalski"@example.pl',
    ],
)
def test_no_address(text: str) -> None:
    """What is no mailbox, or holds what no clean text holds, has neither parts nor key."""
    assert address.split(text) is None
    assert address.key(text) == ""


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Jan.Kowalski@Example.PL", "jan.kowalski@example.pl"),
        ("jan@example.pl.", "jan@example.pl"),
        ("<jan@EXAMPLE.pl>", "jan@example.pl"),
        ("jan@ŻÓŁW.pl", "jan@xn--w-uga1v8h.pl"),
        ("jan@xn--W-UGA1V8H.pl", "jan@xn--w-uga1v8h.pl"),
        ("zażółć@żółw.pl", "zażółć@xn--w-uga1v8h.pl"),
        ('"jan"@example.pl', "jan@example.pl"),
        ('"Jan.Kowalski+x"@example.pl', "jan.kowalski+x@example.pl"),
        ('"j\\an"@example.pl', "jan@example.pl"),
        ('"foo..bar"@example.ne.jp', "foo..bar@example.ne.jp"),
        ('"jan kowalski"@example.pl', '"jan kowalski"@example.pl'),
        ('"jan\\ kowalski"@example.pl', '"jan kowalski"@example.pl'),
        ('"jan\\"k"@example.pl', '"jan\\"k"@example.pl'),
        ('"jan@home"@example.pl', '"jan@home"@example.pl'),
        ('""@example.pl', '""@example.pl'),
        ("jan@[IPv6:2001:DB8::1]", "jan@[ipv6:2001:db8::1]"),
    ],
)
def test_key(written: str, key: str) -> None:
    """Case, a trailing dot, needless quotes and the form of an IDN name do not make another mailbox."""
    assert address.key(written) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jan@example.pl", f"j{CYRILLIC_A}n@example.pl"),
        ("jan@wp.pl", "jan@\u0440.pl"),
        ("a@wp.pl", f"{FULL_WIDTH_A}@wp.pl"),
        ("jan@wp.pl", "jan@\uff57\uff50.pl"),
        ("jan@wp.pl", "jan@wp\uff0epl"),
        ("jan@wp.pl", "jan@wp\u3002pl"),
        ("jan@k.pl", f"jan@{KELVIN}.pl"),
        ("jan@k.żółw.pl", f"jan@{KELVIN}.żółw.pl"),
        ("kasia@wp.pl", f"{KELVIN}asia@wp.pl"),
        ("sam@wp.pl", f"{LONG_S}am@wp.pl"),
        ("sam@s.pl", f"sam@{LONG_S}.pl"),
        ("jan@strasse.de", "jan@straße.de"),
        ("żuk@wp.pl", "Żuk@wp.pl"),
        ("zuk@wp.pl", "żuk@wp.pl"),
        ("é@wp.pl", "e\u0301@wp.pl"),
        ("jankowalski@gmail.com", "jan.kowalski@gmail.com"),
        ("jan@gmail.com", "jan+news@gmail.com"),
        ("jan@gmail.com", "jan@googlemail.com"),
        ("jan@example.pl", "jan@mail.example.pl"),
        ("jan@[192.0.2.1]", "jan@192.0.2.1"),
        ("a.@example.ne.jp", "a@example.ne.jp"),
    ],
)
def test_apart(one: str, other: str) -> None:
    """Look-alikes, full-width letters and dots, accents, tags and dots are never folded into another mailbox."""
    assert address.key(one)
    assert address.key(one) != address.key(other)


def test_local_part_kept() -> None:
    """Where the operator says so, local parts differ by case, and domains still do not."""
    assert address.key("Jan@Example.PL", fold_local_part=False) == "Jan@example.pl"
    assert address.key('"Jan"@Example.PL', fold_local_part=False) == "Jan@example.pl"


@pytest.mark.parametrize("letter", ["a", "ż"])
def test_limit(letter: str) -> None:
    """320 octets are an address, 321 are not, and it is octets that count."""
    domain = "@example.pl"
    room = limits.ADDRESS - len(domain)
    letters = room // len(letter.encode())
    longest = letter * letters + "a" * (room - letters * len(letter.encode())) + domain
    assert len(longest.encode()) == 320
    assert address.key(longest) == longest
    assert address.split("a" + longest) is None
    assert address.key("a" + longest) == ""


def test_limit_of_key() -> None:
    """A key is never longer than an address may be, though A-labels are longer than what they stand for."""
    written = "a" * 313 + "@ż.pl"
    assert address.split(written)
    assert address.key(written) == ""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Jan@Example.pl", "Jan@Example.pl"),
        ("@a.example,@b.example:jan@example.pl", "jan@example.pl"),
        ("jan(a (nested) comment)@example.pl", "jan@example.pl"),
        ("jan @ example.pl", "jan@example.pl"),
        (r"j\an@example.pl", "jan@example.pl"),
        ('"j (an)"@example.pl', '"j (an)"@example.pl'),
        ("jan(@example.pl", "jan(@example.pl"),
        ("(" * 4096, "(" * 4096),
        ("()" * 4096, "()" * 4096),
        ("jan", "jan"),
        ("", ""),
    ],
)
def test_unadorned(written: str, expected: str) -> None:
    """What mail servers take off before they deliver is taken off, never within quotes."""
    assert address.unadorned(written) == expected


def test_address_as_value() -> None:
    """A split address has the key of its text, and is written as it was."""
    parts = address.split("Jan@Example.PL")
    assert parts
    assert (str(parts), address.key(parts)) == ("Jan@Example.PL", "jan@example.pl")


@pytest.mark.parametrize(
    ("domain", "key"),
    [
        ("Example.PL", "example.pl"),
        (" example.pl. ", "example.pl"),
        ("ŻÓŁW.pl", "xn--w-uga1v8h.pl"),
        ("straße.de", "xn--strae-oqa.de"),
        ("☃.net", "☃.net"),
        (f"{KELVIN}.PL", f"{KELVIN}.pl"),
        ("ż" * 70 + ".pl", "ż" * 70 + ".pl"),
        ("", ""),
    ],
)
def test_domain_key(domain: str, key: str) -> None:
    """A domain's key is its A-label, or itself in lower case where IDNA refuses it."""
    assert address.domain_key(domain) == key


_ODD = st.sampled_from('aZ.@"\\ +=-<>;:[]()żŻßſKİΣς。．ａ\u0301\u00ad\u200d\ud800\x00\t')
_LOCALS = st.one_of(
    st.text(_ODD, max_size=12),
    st.text(max_size=8),
    st.builds('"{}"'.format, st.text(_ODD | st.characters(), max_size=8)),
)
_DOMAINS = st.one_of(
    st.text(_ODD, max_size=12),
    st.text(max_size=8),
    st.from_regex(r"[a-zA-Z0-9żŻşŞİßñ-]{1,9}(\.[a-zA-Z0-9żßK-]{1,9}){0,3}\.?", fullmatch=True),
    st.just("[192.0.2.1]"),
)
_WRITTEN = st.one_of(st.builds("{}@{}".format, _LOCALS, _DOMAINS), st.text(max_size=20))


@given(_WRITTEN, st.booleans())
@example('"\\"@x.pl', True)
@example('"a"b"@x.pl', True)
@example("a@İ.pl", True)
@example("a" * 300 + "@" + "ż" * 9, True)
def test_key_of_key(written: str, fold: bool) -> None:
    """The key of a key is the key, and it can be stored as UTF-8 within the limit."""
    key = address.key(written, fold_local_part=fold)
    assert address.key(key, fold_local_part=fold) == key
    assert len(key.encode("utf-8")) <= limits.ADDRESS


@given(_WRITTEN)
def test_fold_is_coarser(written: str) -> None:
    """Folding joins keys that differ by ASCII case alone, and no others."""
    exact = address.key(written, fold_local_part=False)
    folded = address.key(written)
    assert folded == address.key(exact)
    assert len(folded) == len(exact)
    assert all(a == b or (b.isascii() and a.lower() == b) for a, b in zip(exact, folded, strict=True))


@given(_WRITTEN | st.from_regex(r"[A-Za-z0-9._%+-]{1,70}@[A-Za-z0-9.-]{1,260}", fullmatch=True))
def test_key_of_text(written: str) -> None:
    """The short way for ordinary texts gives the key that the parts have."""
    parts = address.split(written)
    assert address.key(written) == (address.key(parts) if parts else "")

"""Cleaning and decoding foreign text (F29, F30)."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncemilter import text

ESC = "\x1b"
_BIDI_CONTROLS = "LRE RLE LRO RLO PDF LRI RLI FSI PDI".split()
_ANYTHING = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("550 5.1.1 User unknown", "550 5.1.1 User unknown"),
        ("Skrzynka przepełniona – zażółć gęślą jaźń", "Skrzynka przepełniona – zażółć gęślą jaźń"),
        ("two\r\n lines", "two lines"),
        ("a\tb\x00c", "a b c"),
        ("a\r\n\r\n\tb", "a b"),
        (f"{ESC}[31mred{ESC}[0m", "[31mred [0m"),
        ("a\x9b31mb\x85c\x7fd", "a 31mb c d"),
        ("user\u202egpj.exe", "user gpj.exe"),
        ("\ufeffBOM", "BOM"),
        ("zero\u200bwidth\u00adhyphen", "zero width hyphen"),
        ("line\u2028paragraph\u2029end", "line paragraph end"),
        ("half \ud83d pair", "half pair"),
        ("tag\U000e0041s", "tag s"),
        ("non\ufdd0char\uffffact\U0010ffffer", "non char act er"),
        ("a \u00a0 b\u3000\u3000c", "a b c"),
        ("twardy\u00a0odstęp", "twardy odstęp"),
        ("   ", ""),
        ("\x00\x00", ""),
        ("日本語 メールボックス", "日本語 メールボックス"),
        ("😀 poczta", "😀 poczta"),
    ],
)
def test_clean(raw: str, expected: str) -> None:
    """Unsafe characters become one space between words, and everything that people write stays."""
    assert text.clean(raw, 1024) == expected


@pytest.mark.parametrize(("length", "kept"), [(9, 9), (10, 10), (11, 10)])
def test_clean_limit(length: int, kept: int) -> None:
    """At most `limit` characters remain."""
    assert text.clean("ż" * length, 10) == "ż" * kept


def test_clean_cut_at_space() -> None:
    """A text that is cut behind a word does not end with a space."""
    assert text.clean("abc def", 4) == "abc"


def test_clean_flood_before_words() -> None:
    """A flood of controls costs no more than the kept characters are worth, and does not raise."""
    assert text.clean("\x00" * 100_000 + "late", 100) == ""


@given(_ANYTHING, st.integers(1, 40))
def test_clean_always(raw: str, limit: int) -> None:
    """Clean text is one line of storable, printable characters within the limit, and cleaning it changes nothing."""
    found = text.clean(raw, limit)
    assert len(found) <= limit
    assert found.encode("utf-8").decode() == found
    assert "\x00" not in found
    assert len(found.splitlines()) <= 1
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in found)
    assert not any(unicodedata.bidirectional(char) in _BIDI_CONTROLS for char in found)
    assert text.clean(found, limit) == found
    assert text.visible(found) == found


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("zażółć", "zażółć"),
        (f"{ESC}[2J", "\\x1b[2J"),
        ("a\nb", "a\\x0ab"),
        ("x\u202ey", "x\\u202ey"),
        ("\ud800", "\\ud800"),
        ("\x85", "\\x85"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_visible(raw: str, expected: str) -> None:
    """What a terminal would obey is shown as an escape."""
    assert text.visible(raw) == expected


@given(_ANYTHING)
def test_visible_always(raw: str) -> None:
    """Shown text is one line, and can be written as UTF-8 and as JSON."""
    found = text.visible(raw)
    assert found.encode("utf-8").decode() == found
    assert len(found.splitlines()) <= 1
    assert json.loads(json.dumps(found, ensure_ascii=False)) == found


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("utf8", "utf-8"),
        (' "ISO-8859-2" ', "iso-8859-2"),
        ("'latin1'", "iso-8859-1"),
        ("cp1250", "windows-1250"),
        ("x-sjis", "shift_jis"),
        ("ks_c_5601-1987", "euc-kr"),
        ("", None),
        ("no-such-charset", None),
        ("utf-8\x00", None),
        ("x" * 10_000, None),
    ],
)
def test_charset(name: str, codec: str | None) -> None:
    """A charset's names are known in any case and with quotes; others are none."""
    assert text.charset(name) == codec


@pytest.mark.parametrize(
    "name",
    "punycode idna unicode_escape raw_unicode_escape unicode-escape utf-7 UTF7 utf_7 unicode-1-1-utf-7 zlib zlib_codec "
    "zip hex bz2 base64 rot13 uu quopri mbcs oem charmap utf-16 utf-16le utf-32 hz palmos string_escape".split(),
)
def test_charset_bombs(name: str) -> None:
    """Codecs that cost seconds, run code of their own or read two meanings into ASCII never decode anything."""
    assert text.charset(name) is None
    assert text.decode(b"+ADw-script+AD4- \\x41 =41 \xff", name) == "+ADw-script+AD4- \\x41 =41 ÿ"


def test_decode_punycode_bomb() -> None:
    """200 kB that claim to be punycode are read as what they are."""
    bomb = b"a" * 200_000 + b"-" + b"9" * 1000
    assert text.decode(bomb, "punycode") == bomb.decode()


@pytest.mark.parametrize(
    ("raw", "name", "expected"),
    [
        ("zażółć".encode(), "utf-8", "zażółć"),
        ("zażółć".encode(), "", "zażółć"),
        ("zażółć".encode(), "us-ascii", "zażółć"),
        ("zażółć".encode(), "no-such", "zażółć"),
        ("zażółć".encode("iso-8859-2"), "ISO-8859-2", "zażółć"),
        ("zażółć".encode("cp1250"), "windows-1250", "zażółć"),
        ("приём".encode("koi8-r"), "koi8-r", "приём"),
        ("日本語".encode("iso-2022-jp"), "iso-2022-jp", "日本語"),
        ("日本語".encode("shift_jis"), "x-sjis", "日本語"),
        (b"caf\xe9", "", "café"),
        (b"caf\xe9", "us-ascii", "café"),
        (b"caf\xe9", "utf-8", "caf\ufffd"),
        (b"\xd8\x00", "utf-16", "Ø\x00"),
        (b"", "utf-8", ""),
    ],
)
def test_decode(raw: bytes, name: str, expected: str) -> None:
    """Declared charsets are obeyed; undeclared and unknown ones are UTF-8 if they can be, else latin-1."""
    assert text.decode(raw, name) == expected


@pytest.mark.parametrize("name", sorted(text.CHARSETS))
def test_every_charset_is_known(name: str) -> None:
    """Each charset of the allow-list decodes any octet without raising."""
    assert text.charset(name) == name
    assert text.decode(b"plain", name) == "plain"
    assert isinstance(text.decode(bytes(range(256)) * 2, name), str)


@given(st.binary(max_size=60), st.sampled_from(sorted(text.CHARSETS)) | st.text(max_size=12))
def test_decode_never_raises(raw: bytes, name: str) -> None:
    """Whatever octets claim to be, they become text that can be cleaned and stored."""
    found = text.clean(text.decode(raw, name), 100)
    assert found.encode("utf-8").decode() == found


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+48 22", "'+48 22"),
        ("-x", "'-x"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("a=1", "a=1"),
        ("\n=1", "'\n=1"),
        ("'=1", "''=1"),
        ("''-x", "'''-x"),
        ("'quoted", "'quoted"),
        ("", ""),
    ],
)
def test_guarded(written: str, cell: str) -> None:
    """F46: what a spreadsheet would take for a formula gets an apostrophe, as does what looks guarded; it comes off."""
    assert text.guarded(written) == cell
    assert text.unguarded(cell) == written


@given(st.text(max_size=200))
def test_unhidden(raw: str) -> None:
    """Without what nobody sees, nothing is left to make visible, and nothing else is gone."""
    found = text.unhidden(raw)
    assert text.visible(found) == found
    assert found == "".join(char for char in raw if text.visible(char) == char)

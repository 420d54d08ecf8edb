"""Header blocks: look-up, folding, encoded words, parameters, addresses."""

import pytest

from bouncemilter.model import Defect
from bouncemilter.report.header import Headers, mailbox, parameters


def headers(block: bytes) -> Headers:
    return Headers(block, set())


def test_look_up() -> None:
    """Names are found in any case, the first value wins, folds are undone."""
    block = headers(b"Subject: one\n two\n\tthree\nSUBJECT: other\nX-Subject: no\n")
    assert block.text(b"subject") == "one two three"
    assert block.all(b"subject") == [b"one two\tthree", b"other"]
    assert b"subject" in block
    assert b"ubject" not in block


@pytest.mark.parametrize(
    ("raw", "decoded"),
    [
        (b"=?utf-8?q?Za=C5=BC=C3=B3=C5=82=C4=87?=", "Zażółć"),
        (b"=?UTF-8?B?WmHFvMOzxYLEhw==?=", "Zażółć"),
        (b"=?utf-8?q?Za=C5?= =?utf-8?q?=BC?=", "Zaż"),
        (b"a =?utf-8?q?b?= c", "a b c"),
        (b"=?utf-8?q?a_?= =?iso-8859-2?q?=B1?=", "a ą"),
        (b"=?utf-8*pl?q?a?=", "a"),
        (b"=?utf-8?q?broken", "=?utf-8?q?broken"),
        ("surowe ą".encode(), "surowe ą"),
        (b"\xb1", "±"),
        (b"a\x1b[31m\x00\xe2\x80\xaeb", "a [31m b"),
    ],
)
def test_encoded_words(raw: bytes, decoded: str) -> None:
    """Encoded words are resolved, characters split between words are joined, controls are cleaned away."""
    assert headers(b"Subject: " + raw).text(b"subject") == decoded


def test_bad_words_are_defects() -> None:
    """An unknown charset and broken base64 in a subject are defects."""
    defects: set[Defect] = set()
    Headers(b"Subject: =?punycode?q?x?= =?utf-8?b?A?=", defects).text(b"subject")
    assert defects == {Defect.BAD_CHARSET, Defect.BAD_ENCODING}


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("Jan <jan@example.pl>", "jan@example.pl"),
        ("jan@example.pl (Jan)", "jan@example.pl"),
        ('"Nowak, Jan @ home" <jan@example.pl>, b@example.pl', "jan@example.pl"),
        ("<>", ""),
        ("((((", ""),
        ('""@', ""),
        ("<[", ""),
        ("<@>", ""),
        ("MAILER-DAEMON", ""),
        ("jań@źródło.pl", "jań@źródło.pl"),
        ("a@b <" + "x" * 400 + "@example.pl>", "a@b"),
    ],
)
def test_mailbox(value: str, address: str) -> None:
    """The first address is found, and nothing odd raises."""
    assert mailbox(value) == address


def test_continuations_out_of_order() -> None:
    """RFC 2231 continuations are joined by their numbers."""
    found = parameters(b"a/b; name*1=\"lo\"; name*0*=utf-8''ha%6C; x=y", set())
    assert found == {b"name": b"hallo", b"x": b"y"}

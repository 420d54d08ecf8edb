"""Our own header lines on passed mail."""

import pytest

from bouncemilter.fronts.sink.trace import Trace, without_label

TRACE = Trace(b"0123456789abcdef")
MAIL = b"Message-ID: <1@example.pl>\r\nSubject: x\r\n\r\nX-Bouncemilter: in the text\r\n"


def test_looped() -> None:
    """A message with our hop header for this recipient was here before, whatever the case of the domain."""
    again = TRACE.header("mail", MAIL, "jan@example.pl") + MAIL
    assert TRACE.looped(again, "jan@EXAMPLE.pl")


@pytest.mark.parametrize("other", ["anna@example.pl", "jan@example.com"])
def test_hop_of_another_recipient(other: str) -> None:
    """The hop header of one recipient says nothing about another."""
    assert not TRACE.looped(TRACE.header("mail", MAIL, "jan@example.pl") + MAIL, other)


def test_hop_copied() -> None:
    """A hop header copied to another message, or made with another key, is not believed."""
    line = TRACE.header("mail", MAIL, "jan@example.pl")
    assert not TRACE.looped(line + MAIL.replace(b"<1@", b"<2@"), "jan@example.pl")
    assert not Trace(b"another key of ours").looped(line + MAIL, "jan@example.pl")
    assert not TRACE.looped(MAIL + line, "jan@example.pl")


def test_key_hidden() -> None:
    """The key never shows in a repr."""
    assert "0123456789abcdef" not in repr(TRACE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"A: b\r\nX-Bouncemilter: bounce\r\nC: d\r\n\r\n", b"A: b\r\nC: d\r\n\r\n"),
        (b"x-BOUNCEMILTER : a\r\n b\r\n\tc\r\nC: d\r\n\r\nX-Bouncemilter: e\r\n", b"C: d\r\n\r\nX-Bouncemilter: e\r\n"),
        (b"A: b\nX-Bouncemilter: a\n\nbody", b"A: b\n\nbody"),
        (b"X-Bouncemilter: a", b""),
        (b"X-Bouncemilter-Hop: a\r\n\r\n", b"X-Bouncemilter-Hop: a\r\n\r\n"),
        (b"\r\nX-Bouncemilter: a\r\n\r\n", b"\r\nX-Bouncemilter: a\r\n\r\n"),
        (b"", b""),
    ],
)
def test_without_label(before: bytes, after: bytes) -> None:
    """Incoming copies of the header go, folded ones too; the text, and other headers, stay as they are."""
    assert without_label(before) == after

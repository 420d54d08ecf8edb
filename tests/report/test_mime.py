"""The splitter: line ends, boundaries, encodings, charsets."""

import base64

import pytest

from bouncemilter.model import Defect
from bouncemilter.report.message import Message
from bouncemilter.report.mime import normalise


def leaves(raw: bytes) -> list[tuple[bytes, str]]:
    return [(part.content_type, part.text.strip()) for part in Message(raw).parts]


def multipart(declared: bytes, body: bytes) -> bytes:
    return b"MIME-Version: 1.0\nContent-Type: multipart/mixed" + declared + b"\n\n" + body


TWO = b"--b\n\none\n--b\nContent-Type: text/html\n\n<p>two</p>\n--b--\n"


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (b"a\r\nb\nc\rd", b"a\nb\nc\nd"),
        (b"a\r\r\nb", b"a\nb"),
        (b"a\r\rb", b"a\n\nb"),
        (b"a\n\r\nb", b"a\n\nb"),
        (b"", b""),
    ],
)
def test_line_ends(raw: bytes, clean: bytes) -> None:
    """Every mixture of CR and LF becomes LF, and CR CR LF is one line end."""
    assert normalise(raw) == clean


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r", b"\r\r\n"])
def test_two_parts(line_end: bytes) -> None:
    """Two parts are found in order, whatever the line ends."""
    raw = multipart(b"; boundary=b", TWO).replace(b"\n", line_end)
    assert leaves(raw) == [(b"text/plain", "one"), (b"text/html", "two")]


@pytest.mark.parametrize(
    "declared",
    [
        b'; boundary="a b=(c):?"',
        b'; boundary*0="a b"; boundary*1="=(c):?"',
        b'; charset=x;\n\tboundary="a b=(c):?"  ',
        b"; boundary*=us-ascii''a%20b%3D(c):%3F",
        b'; boundary="a b=(c):?"; boundary="other"',
    ],
)
def test_odd_boundary(declared: bytes) -> None:
    """Quoted, continued, percent-encoded and repeated boundary parameters all work."""
    raw = multipart(declared, TWO.replace(b"--b", b"--a b=(c):?"))
    assert [kind for kind, _ in leaves(raw)] == [b"text/plain", b"text/html"]


def test_boundary_that_begins_like_another() -> None:
    """A line that only begins like the delimiter is content."""
    assert leaves(multipart(b"; boundary=b", b"--b\n\none\n--bb\nstill one\n--b--\n")) == [
        (b"text/plain", "one\n--bb\nstill one")
    ]


@pytest.mark.parametrize("declared", [b"", b"; boundary=other"])
def test_boundary_is_found_in_the_body(declared: bytes) -> None:
    """A missing or wrong boundary is guessed, and a defect says so."""
    message = Message(multipart(declared, TWO))
    assert len(message.parts) == 2
    assert Defect.NO_BOUNDARY in message.defects


def test_no_boundary_at_all() -> None:
    """A multipart without parts is read as text."""
    message = Message(multipart(b"; boundary=x", b"plain words\n"))
    assert message.text == "plain words\n"
    assert Defect.NO_BOUNDARY in message.defects


def test_unclosed() -> None:
    """A multipart that is never closed keeps its last part."""
    message = Message(multipart(b"; boundary=b", TWO.removesuffix(b"--b--\n")))
    assert [part.text.strip() for part in message.parts] == ["one", "two"]
    assert message.defects == {Defect.UNCLOSED_MULTIPART}


def test_returned_message_is_one_leaf() -> None:
    """Parts of a returned message are not parts of the report."""
    inner = b"Content-Type: multipart/mixed; boundary=i\n\n--i\n\nx\n--i--\n"
    raw = multipart(b"; boundary=b", b"--b\nContent-Type: message/rfc822\n\n" + inner + b"--b--\n")
    assert [kind for kind, _ in leaves(raw)] == [b"message/rfc822"]


@pytest.mark.parametrize(
    ("name", "encoded", "defect"),
    [
        (b"base64", base64.encodebytes("zażółć\n".encode()), None),
        (b"BASE64", base64.b64encode("zażółć\n".encode()).rstrip(b"="), Defect.BAD_ENCODING),
        (b"base64", b"!!\n" + base64.b64encode("zażółć\n".encode()), None),
        (b"quoted-printable", b"za=C5=BC=\n=C3=B3=C5=82=C4=87\n", None),
        (b"x-uuencode", b"begin 644 x\n+>F'%O,.SQ8+$APH \n`\nend\n", None),
        (b"x-unknown", "zażółć\n".encode(), Defect.BAD_ENCODING),
        (b"binary", "zażółć\n".encode(), None),
    ],
)
def test_transfer_encodings(name: bytes, encoded: bytes, defect: Defect | None) -> None:
    """Every transfer encoding is undone; damage is a defect and never silence."""
    message = Message(
        b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: " + name + b"\n\n" + encoded
    )
    assert message.text.strip() == "zażółć"
    assert message.defects == ({defect} if defect else set())


@pytest.mark.parametrize("charset", ["utf-7", "idna", "punycode", "unicode_escape", "zlib", "x" * 500, "\x1b[31m"])
def test_charsets_off_the_list(charset: str) -> None:
    """A charset outside the allow-list is a defect, and the text is read all the same."""
    message = Message(b"Content-Type: text/plain; charset=" + charset.encode() + b"\n\ncaf\xe9\n")
    assert message.text == "café\n"
    assert message.defects == {Defect.BAD_CHARSET}


def test_iso_2022_jp() -> None:
    """A charset in seven bits is decoded too."""
    raw = b"Content-Type: text/plain; charset=iso-2022-jp\n\n" + "不在".encode("iso-2022-jp")
    assert Message(raw).text == "不在"


def test_html() -> None:
    """HTML is read as text: no style, no comments, entities resolved, a line for each block."""
    raw = (
        b"Content-Type: text/html\n\n<style>b{}</style><!-- <p>no --><p>a &amp; b&#x142;<br>c</p>&unknown; &#99999999;"
    )
    assert Message(raw).text == "a & bł\nc\n&unknown; &#99999999;"

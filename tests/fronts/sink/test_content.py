"""The end of the content and its dots, in pieces of any size."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bouncemilter.fronts.sink.content import ContentDecoder, ContentEncoder

OCTETS = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"a", b"\xff", b"\r\n.\r\n"])).map(b"".join)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """`data` cut at the places of `cuts`."""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def decode(parts: list[bytes]) -> tuple[bytes, bytes | None]:
    """The content, and all that stands behind its end."""
    decoder, content = ContentDecoder(), b""
    for index, part in enumerate(parts):
        plain, behind = decoder.feed(part)
        content += plain
        if behind is not None:
            return content, behind + b"".join(parts[index + 1 :])
    return content, None


@pytest.mark.parametrize(
    ("octets", "content", "behind"),
    [
        (b".\r\n", b"", b""),
        (b"a\r\n.\r\nQUIT\r\n", b"a\r\n", b"QUIT\r\n"),
        (b"..\r\n.\r\n", b".\r\n", b""),
        (b".a\r\n..b\r\n.\r\n", b"a\r\n.b\r\n", b""),
        (b"\r\n.\r\n", b"\r\n", b""),
        (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n", b""),
        (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n", b""),
        (b"a\r.\r\nb\r\n.\r\n", b"a\r.\r\nb\r\n", b""),
        (b"a\r\n.\nb\r\n.\r\n", b"a\r\n\nb\r\n", b""),
        (b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n", b""),
        (b"a\r\n.\r\r\n.\r\n", b"a\r\n\r\r\n", b""),
    ],
)
def test_decoder(octets: bytes, content: bytes, behind: bytes) -> None:
    """Only CRLF.CRLF ends the content, however the octets are cut."""
    assert decode([octets]) == (content, behind)
    assert decode([octets[at : at + 1] for at in range(len(octets))]) == (content, behind)


@given(OCTETS, st.lists(st.integers(min_value=0)))
def test_decoder_pieces(octets: bytes, cuts: list[int]) -> None:
    """Where the octets are cut makes no difference."""
    whole = decode([octets + b"\r\n.\r\n"])
    assert decode(pieces(octets + b"\r\n.\r\n", cuts)) == whole


@given(OCTETS, st.lists(st.integers(min_value=0)))
def test_encoder(octets: bytes, cuts: list[int]) -> None:
    """What is sent ends only at its end, has no bare CR or LF, and is read back with mended line ends."""
    encoder = ContentEncoder()
    sent = b"".join(encoder.feed(piece) for piece in pieces(octets, cuts)) + encoder.finish()
    assert sent.count(b"\r\n") == sent.count(b"\r") == sent.count(b"\n")
    mended = octets.replace(b"\r\n", b"\n").replace(b"\r", b" ").replace(b"\n", b"\r\n")
    if mended and not mended.endswith(b"\r\n"):
        mended += b"\r\n"
    assert decode([sent + b".\r\n"]) == (mended, b"")

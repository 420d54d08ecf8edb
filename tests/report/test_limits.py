"""Each limit at n-1, n and n+1, with its defect (FAULTS F25 to F28)."""

import pytest

from bouncemilter import limits, report
from bouncemilter.model import Defect, Kind
from bouncemilter.report.header import PARAMETERS, parameters
from bouncemilter.report.message import Message

AROUND = pytest.mark.parametrize("more", [-1, 0, 1])


def dsn(*blocks: str) -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example.net\nSubject: x\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        "--b\nContent-Type: message/delivery-status\n\n" + "\n".join(blocks) + "\n--b--\n"
    ).encode()


@AROUND
def test_kept_bytes(more: int) -> None:
    """Octets beyond the kept ones are not read (F28)."""
    head = b"Subject: x\n\n"
    found = report.read(head + b"a" * (limits.KEPT_BYTES - len(head) + more))
    assert (Defect.TRUNCATED in found.defects) == (more > 0)


@AROUND
def test_header_block(more: int) -> None:
    """A header block beyond its limit is cut, and what stands before the cut is read."""
    start = b"Subject: x\nX-Y:\n"
    filler = b" y\n" * (limits.HEADER_BLOCK // 3 - len(start))
    block = start + filler
    block += b"z" * (limits.HEADER_BLOCK - len(block) - 2 + more) + b"\n\n"
    message = Message(block + b"body")
    assert (Defect.LIMIT_HEADER in message.defects) == (more > 0)
    assert message.subject == "x"


@AROUND
def test_header_line(more: int) -> None:
    """A field beyond its limit is cut."""
    message = Message(b"X-Y: " + b"a" * (limits.HEADER_LINE + more) + b"\n\n")
    assert len(message.headers.raw(b"x-y")) == min(limits.HEADER_LINE + more, limits.HEADER_LINE)
    assert (Defect.LIMIT_LINE in message.defects) == (more > 0)


def multiparts(depth: int) -> bytes:
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    closed = b"".join(b"\n--b%d--\n" % n for n in reversed(range(depth)))
    return opened + b"Content-Type: text/plain\n\nbottom" + closed


@AROUND
@pytest.mark.parametrize("kind", ["multipart", "message"])
def test_depth(kind: str, more: int) -> None:
    """Multiparts and returned messages nest to the limit and no deeper (F25)."""
    depth = limits.MIME_DEPTH + more
    message = Message(multiparts(depth) if kind == "multipart" else b"Content-Type: message/rfc822\n\n" * depth)
    _ = message.parts
    assert (Defect.LIMIT_DEPTH in message.defects) == (more > 0)
    if kind == "multipart":
        assert message.text == ("" if more > 0 else "bottom")


@AROUND
def test_parts(more: int) -> None:
    """As many parts as the limit are read (F26)."""
    count = limits.MIME_PARTS + more
    message = Message(b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * count + b"--b--\n")
    assert len(message.parts) == min(count, limits.MIME_PARTS)
    assert (Defect.LIMIT_PARTS in message.defects) == (more > 0)


@AROUND
def test_recipients(more: int) -> None:
    """As many recipients as the limit are read (F26)."""
    count = limits.RECIPIENTS + more
    found = report.read(dsn(*(f"Final-Recipient: rfc822; a{n}@example.pl\nAction: failed\n" for n in range(count))))
    assert len(found.recipients) == min(count, limits.RECIPIENTS)
    assert (Defect.LIMIT_RECIPIENTS in found.defects) == (more > 0)


@AROUND
def test_diagnostic(more: int) -> None:
    """A diagnostic beyond its limit is cut."""
    words = "550 " + "x" * (limits.DIAGNOSTIC - 4 + more)
    found = report.read(dsn(f"Final-Recipient: rfc822; a@example.pl\nAction: failed\nDiagnostic-Code: smtp; {words}\n"))
    assert found.recipients[0].diagnostic == words[: limits.DIAGNOSTIC]
    assert (Defect.LIMIT_DIAGNOSTIC in found.defects) == (more > 0)


@AROUND
def test_address(more: int) -> None:
    """An address beyond its limit is none, and the other one of the block is taken."""
    domain = "@example.pl"
    local = "a" * (limits.ADDRESS - len(domain) + more)
    found = report.read(
        dsn(f"Original-Recipient: rfc822; {local}{domain}\nFinal-Recipient: rfc822; b@example.pl\nAction: failed\n")
    )
    assert found.recipients[0].address == (local + domain if more <= 0 else "b@example.pl")
    assert (Defect.LIMIT_ADDRESS in found.defects) == (more > 0)


@AROUND
def test_parameters(more: int) -> None:
    """As many parameters as the limit are looked at."""
    defects: set[Defect] = set()
    count = PARAMETERS + more
    found = parameters(b"a/b" + b"".join(b"; p%d=x" % n for n in range(count)), defects)
    assert len(found) == min(count, PARAMETERS)
    assert (Defect.LIMIT_LINE in defects) == (more > 0)


@AROUND
def test_excerpt(more: int) -> None:
    """An excerpt is cut at its limit."""
    words = "w" * (limits.EXCERPT + more)
    found = report.read(b"From: a@example.pl\nAuto-Submitted: auto-replied\n\n" + words.encode())
    assert found.kind is Kind.AUTO_REPLY
    assert found.excerpt == words[: limits.EXCERPT]


def test_truncated_is_told() -> None:
    """Who cut the message says so, and it is a defect."""
    assert report.read(b"Subject: x\n\n", truncated=True).defects == (Defect.TRUNCATED,)

"""Passed mail: to the next server, to the Maildir, never back to the sender."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bouncemilter.fronts.sink.maildir import Maildir
from bouncemilter.model import Disposition, Kind
from tests.rig.lmtp import Client

OURS = "bounces+anna=example.net@bounces.example.com"
ROLE = "postmaster@bounces.example.com"
MAIL = (
    b"X-Bouncemilter: forged\r\nMessage-ID: <1@example.pl>\r\nSubject: za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87\r\n\r\n.x\r\n"
)
OK = "250 2.0.0 OK"
LATER = "451 4.3.0 Temporary failure, try again later"


async def deliver(
    sink: Any, recipients: list[str], content: bytes = MAIL, sender: str = "piotr@example.pl"
) -> list[str]:
    async with Client(sink.addresses[1], lmtp=True) as client:
        await client.hello()
        replies = await client.deliver(sender, recipients, content)
        assert await client.quit() == "221 Bye"
    return replies


def lying(tmp_path: Path) -> list[bytes]:
    return sorted(file.read_bytes() for file in (tmp_path / "passed" / "new").iterdir())


async def test_maildir(sink: Any, pipeline: Any, tmp_path: Path) -> None:
    """Without another server, passed mail lies in the Maildir with its envelope and our header, forged copies gone."""
    pipeline.disposition = Disposition.PASS
    pipeline.kind = Kind.MAIL
    assert await deliver(sink, [OURS]) == [OK]
    assert lying(tmp_path) == [
        b"Return-Path: <piotr@example.pl>\nDelivered-To: "
        + OURS.encode()
        + b"\nX-Bouncemilter: mail\n"
        + MAIL.partition(b"\r\n")[2].replace(b"\r\n", b"\n")
    ]
    assert pipeline.flights[0].settled == (Disposition.PASS,)


async def test_maildir_full(sink: Any, pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be written to the Maildir is deferred, and settled so."""

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Maildir, "add", full)
    pipeline.dispositions = {OURS: Disposition.PASS}
    with capture_logs() as logs:
        assert await deliver(sink, [OURS, "jan@example.pl", ROLE]) == [LATER, OK, LATER]
    assert {line["event"] for line in logs} == {"maildir_failed"}
    assert pipeline.flights[0].settled == (Disposition.TEMPFAIL, Disposition.DISCARD)


async def test_roles(make_sink: Callable[..., Any], pipeline: Any, next_server: Any) -> None:
    """Mail to postmaster@ and abuse@ is handed on unread: the pipeline never sees it."""
    sink = await make_sink(forward_to=next_server.address)
    roles = [ROLE, "abuse@bounces.example.com"]
    assert await deliver(sink, roles) == [OK] * 2
    assert not pipeline.flights
    assert not pipeline.reviews
    assert [recipients for _, recipients, _ in next_server.got] == [[each] for each in roles]
    assert next_server.got[0][2].startswith(b"X-Bouncemilter: role_address\r\n")


async def test_review(make_sink: Callable[..., Any], pipeline: Any, next_server: Any) -> None:
    """Mail to review@ goes on with what was made of it, is reviewed once whoever else gets it, and settled so."""
    sink = await make_sink(forward_to=next_server.address)
    review = "review@bounces.example.com"
    assert await deliver(sink, [review, ROLE, OURS]) == [OK] * 3
    (found,) = pipeline.reviews
    assert (found.envelope.recipients, found.head, found.settled) == ((review,), MAIL, Disposition.PASS)
    labels = {recipients[0]: content.partition(b"\r\n")[0] for _, recipients, content in next_server.got}
    assert labels == {review: b"X-Bouncemilter: review; attached=0", ROLE: b"X-Bouncemilter: role_address"}
    pipeline.reviewed = Disposition.TEMPFAIL
    assert await deliver(sink, [ROLE, review]) == [OK, LATER]
    pipeline.reviewed, next_server.data_reply = Disposition.PASS, "451 4.7.1 Later"
    assert await deliver(sink, [review]) == [LATER]
    assert pipeline.reviews[-1].settled is Disposition.TEMPFAIL


async def test_review_over_smtp(make_sink: Callable[..., Any], pipeline: Any, next_server: Any) -> None:
    """Where one reply is for all, nobody gets what could not be committed at review@."""
    sink = await make_sink(forward_to=next_server.address)
    pipeline.reviewed = Disposition.TEMPFAIL
    async with Client(sink.addresses[0]) as client:
        await client.hello()
        await client.deliver("piotr@example.pl", ["review@bounces.example.com", ROLE], MAIL)
        assert len(pipeline.reviews) == 1
        pipeline.reviewed, pipeline.disposition = Disposition.PASS, Disposition.TEMPFAIL
        await client.deliver("piotr@example.pl", ["review@bounces.example.com", OURS], MAIL)
    assert len(pipeline.reviews) == 1
    assert next_server.got == []


async def test_forwarded(make_sink: Callable[..., Any], pipeline: Any, next_server: Any, tmp_path: Path) -> None:
    """The next server gets sender, recipient and message as they came, but for our header lines."""
    sink = await make_sink(forward_to=next_server.address)
    pipeline.dispositions = {OURS: Disposition.PASS}
    assert await deliver(sink, [OURS, "jan@example.pl"], sender="") == [OK, OK]
    ((sender, recipients, content),) = next_server.got
    assert (sender, recipients) == ("<>", [OURS])
    label, hop, *rest = content.split(b"\r\n")
    assert label == b"X-Bouncemilter: passed"
    assert hop.startswith(b"X-Bouncemilter-Hop: ")
    assert b"\r\n".join(rest) == MAIL.partition(b"\r\n")[2]
    assert lying(tmp_path) == []


@pytest.mark.parametrize("step", ["mail_reply", "rcpt_reply", "data_reply"])
async def test_deferred(
    make_sink: Callable[..., Any], pipeline: Any, next_server: Any, tmp_path: Path, step: str
) -> None:
    """A 4xx of the next server defers the recipient, and later the message goes through."""
    sink = await make_sink(forward_to=next_server.address)
    pipeline.disposition = Disposition.PASS
    setattr(next_server, step, "451 4.7.1 Greylisted")
    assert await deliver(sink, [OURS]) == [LATER]
    assert pipeline.flights[0].settled == (Disposition.TEMPFAIL,)
    setattr(next_server, step, "")
    assert await deliver(sink, [OURS]) == [OK]
    assert len(next_server.got) == 1
    assert lying(tmp_path) == []


@pytest.mark.parametrize("step", ["mail_reply", "rcpt_reply", "data_reply"])
async def test_refused(
    make_sink: Callable[..., Any], pipeline: Any, next_server: Any, tmp_path: Path, step: str
) -> None:
    """A 5xx of the next server puts the message into the Maildir; it is never refused, so nobody gets a bounce."""
    sink = await make_sink(forward_to=next_server.address)
    pipeline.disposition = Disposition.PASS
    setattr(next_server, step, "554 5.7.1 Spam")
    assert await deliver(sink, [OURS, "jan@example.pl"]) == [OK, OK]
    assert len(lying(tmp_path)) == 2


async def test_down(make_sink: Callable[..., Any], pipeline: Any, tmp_path: Path) -> None:
    """Without a connection to the next server all that would be passed is deferred, the rest is settled."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        sink = await make_sink(forward_to=f"inet:127.0.0.1:{closed.getsockname()[1]}")
        pipeline.dispositions = {OURS: Disposition.PASS}
        assert await deliver(sink, [OURS, "jan@example.pl", ROLE]) == [LATER, OK, LATER]
    assert lying(tmp_path) == []


async def test_down_asked_once(make_sink: Callable[..., Any], pipeline: Any) -> None:
    """A next server that does not answer is asked once for a message, not once for each recipient."""
    asked: list[str] = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append("connection")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    sink = await make_sink(forward_to=f"inet:127.0.0.1:{server.sockets[0].getsockname()[1]}")
    pipeline.disposition = Disposition.PASS
    assert await deliver(sink, [OURS, "jan@example.pl"]) == [LATER, LATER]
    server.close()
    assert asked == ["connection"]


async def test_mixed(make_sink: Callable[..., Any], pipeline: Any, next_server: Any, tmp_path: Path) -> None:
    """What the next server says of one recipient is nothing to the others of the same message."""
    sink = await make_sink(forward_to=next_server.address)
    pipeline.disposition = Disposition.PASS
    three = "bounces+3=example.net@bounces.example.com"
    next_server.rcpt_replies = {OURS: "450 4.2.0 Later", three: "550 5.1.1 Unknown"}
    assert await deliver(sink, [OURS, three, "jan@example.pl"]) == [LATER, OK, OK]
    assert [recipients for _, recipients, _ in next_server.got] == [["jan@example.pl"]]
    assert len(lying(tmp_path)) == 1


async def test_loop(make_sink: Callable[..., Any], pipeline: Any, next_server: Any, tmp_path: Path) -> None:
    """A message that comes back with our hop header is kept in the Maildir, not sent round again."""
    sink = await make_sink(forward_to=next_server.address)
    pipeline.disposition = Disposition.PASS
    await deliver(sink, [OURS])
    returned = next_server.got[0][2]
    assert await deliver(sink, [OURS], returned) == [OK]
    assert len(next_server.got) == 1
    assert len(lying(tmp_path)) == 1
    assert await deliver(sink, ["jan@example.pl"], returned) == [OK]
    assert len(next_server.got) == 2


async def test_stray_line_ends(make_sink: Callable[..., Any], pipeline: Any, next_server: Any) -> None:
    """F22: bare line ends are mended before a message is passed on, so that it can't split at the next server."""
    sink = await make_sink(forward_to=next_server.address)
    pipeline.disposition = Disposition.PASS
    await deliver(sink, [OURS], b"Subject: x\r\n\r\na\n.\r\nMAIL FROM:<evil@example.org>\rb\r\n")
    ((_, _, content),) = next_server.got
    assert content.endswith(b"\r\n\r\na\r\n.\r\nMAIL FROM:<evil@example.org> b\r\n")


async def test_international(make_sink: Callable[..., Any], pipeline: Any, next_server: Any) -> None:
    """An address beyond ASCII is forwarded with SMTPUTF8."""
    sink = await make_sink(forward_to=next_server.address)
    pipeline.disposition = Disposition.PASS
    assert await deliver(sink, [OURS], sender="żółw@example.pl") == [OK]
    assert next_server.got[0][0] == "żółw@example.pl"

"""Servers that say anything: the pass ends with an error that names the place, and memory stays bounded."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bouncemilter.fronts.mailbox import (
    After,
    Fault,
    MailboxError,
    MailboxOptions,
    MessageOutcome,
    Secret,
    Security,
    SourceKind,
)
from bouncemilter.fronts.mailbox import imap as imap_module
from bouncemilter.fronts.mailbox import poll as poll_module
from bouncemilter.fronts.mailbox import pop3 as pop3_module
from bouncemilter.fronts.mailbox.imap import ImapSource, encoded_name
from bouncemilter.fronts.mailbox.poll import Poll
from tests.fronts.mailbox.conftest import Reader
from tests.pipeline.site import JAN, verp
from tests.rig import mail

Answer = Callable[[bytes], bytes | None]
"""What a server says to a line; None: it hangs up."""


@contextlib.contextmanager
def server(greeting: bytes, answer: Answer) -> Iterator[int]:
    """A server on loopback that takes one connection after the other; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, greeting, answer), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def _serve(listening: socket.socket, greeting: bytes, answer: Answer) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            connection.sendall(greeting)
            for line in connection.makefile("rb"):
                said = answer(line)
                if said is None:
                    break
                connection.sendall(said)


def imap(select: bytes = b"* 1 EXISTS\r\n", fetch: bytes | None = b"", body: bytes | None = b"") -> Answer:
    """An IMAP server with what it says to SELECT or EXAMINE, to the list, and to the fetch of bodies."""

    def answer(line: bytes) -> bytes | None:
        tag, _, command = line.rstrip().partition(b" ")
        done = tag + b" OK done\r\n"
        verb = command.upper()
        if verb.startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1\r\n" + done
        if verb.startswith(b"EXAMINE"):
            return select + b"* OK [UIDVALIDITY 7] ok\r\n" + done
        if b"BODY.PEEK" in verb:
            return None if body is None else body + done
        if b"FETCH" in verb:
            return None if fetch is None else fetch + done
        return done

    return answer


def options(port: int, kind: SourceKind = SourceKind.IMAP, **changed: Any) -> MailboxOptions:
    values: dict[str, Any] = {"security": Security.NONE, "user": "jan", "secret": Secret(held="pw"), "timeout": 5.0}
    return MailboxOptions("test", kind, host="127.0.0.1", port=port, **(values | changed))


async def poll(reader: Reader, port: int, kind: SourceKind = SourceKind.IMAP, **changed: Any) -> Poll:
    made = Poll(options(port, kind, **changed), reader.site.pipeline, reader.state)
    await made.run()
    return made


def literal(uid: int, content: bytes, extra: bytes = b"") -> bytes:
    return b"* 1 FETCH (BODY[]<0> {%d}\r\n%s UID %d%s)\r\n" % (len(content), content, uid, extra)


LISTED = b'* 1 FETCH (UID 5 INTERNALDATE " 5-Jan-2026 09:00:00 +0100")\r\n'


async def test_items_in_any_order(reader: Reader) -> None:
    """The parts of an answer may come in any order, with others between them."""
    bounce = mail.dsn(verp(JAN), JAN)
    said = b"* 9 FETCH (FLAGS (\\Seen))\r\n" + literal(5, bounce, b' INTERNALDATE "05-Jan-2026 09:00:00 +0100"')
    with server(b"* OK hello\r\n", imap(fetch=LISTED, body=said)) as port:
        found = (await poll(reader, port)).summary
    assert found.outcomes[MessageOutcome.RECOGNISED] == 1
    assert [each.event.at.isoformat() for each in await reader.site.events(JAN)] == ["2026-01-05T08:00:00+00:00"]


async def test_vanished(reader: Reader) -> None:
    """A message that is gone when it is fetched is no error; an empty one is a mail."""
    listed = LISTED + LISTED.replace(b"UID 5", b"UID 6")
    with server(b"* OK hello\r\n", imap(b"* 2 EXISTS\r\n", listed, b'* 1 FETCH (UID 6 BODY[]<0> "")\r\n')) as port:
        found = (await poll(reader, port)).summary
    assert (found.outcomes[MessageOutcome.VANISHED], found.outcomes[MessageOutcome.NOT_OURS], found.complete) == (
        1,
        1,
        True,
    )


@pytest.mark.parametrize(
    ("greeting", "answer", "fault"),
    [
        (b"", lambda _: None, Fault.UNREACHABLE),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", lambda _: None, Fault.UNREACHABLE),
        (b"* BYE full\r\n", lambda _: None, Fault.UNREACHABLE),
        (b"* OK hello\r\n", imap(b"* x EXISTS\r\n", b""), Fault.BROKEN_OFF),
        (b"* OK hello\r\n", imap(fetch=None), Fault.BROKEN_OFF),
        (b"* OK hello\r\n", imap(fetch=b"* 1 FETCH (UID 5 {99999999999}\r\n"), Fault.BROKEN_OFF),
        (b"* OK hello\r\n", imap(fetch=LISTED, body=None), Fault.BROKEN_OFF),
        (b"* OK hello\r\n", imap(fetch=LISTED, body=b"* 1 FETCH (UID 5 BODY[]<0> {900000}\r\nx"), Fault.BROKEN_OFF),
        (b"* OK hello\r\n", imap(fetch=LISTED, body=b"\0\xff" * 2_000_000), Fault.BROKEN_OFF),
    ],
)
async def test_hostile_imap(reader: Reader, greeting: bytes, answer: Answer, fault: Fault) -> None:
    """Whatever an IMAP server says, or if it says nothing, the pass ends with an error that names the place."""
    with server(greeting, answer) as port, pytest.raises(MailboxError, match=f"127.0.0.1:{port}") as caught:
        await poll(reader, port, timeout=0.5)
    assert caught.value.fault is fault
    assert await reader.site.events(JAN) == []


async def test_count_of_lies(reader: Reader) -> None:
    """A server that says of more messages than it lists is not asked for ever."""
    with server(b"* OK hello\r\n", imap(b"* 999999999999999999999 EXISTS\r\n", b"")) as port:
        assert (await poll(reader, port)).summary.complete


def pop(
    uidl: bytes = b"+OK\r\n1 abc\r\n.\r\n",
    content: bytes | None = b"+OK\r\n.\r\n",
    farewell: bytes = b"+OK\r\n",
) -> Answer:
    """A POP3 server with what it says to UIDL, to RETR and to QUIT."""

    def answer(line: bytes) -> bytes | None:
        verb = line.split()[0].upper() if line.split() else b""
        if verb == b"UIDL":
            return uidl
        if verb == b"RETR":
            return content
        if verb == b"CAPA":
            return b"-ERR what?\r\n"
        return farewell if verb == b"QUIT" else b"+OK\r\n"

    return answer


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (lambda _: None, Fault.LOGIN),
        (pop(uidl=b"-ERR no\r\n"), Fault.SETTING),
        (pop(uidl=b"+OK\r\nx y\r\n.\r\n"), Fault.BROKEN_OFF),
        (pop(content=None), Fault.BROKEN_OFF),
        (pop(content=b"hello\r\n"), Fault.BROKEN_OFF),
        (pop(farewell=b"-ERR not deleted\r\n"), Fault.BROKEN_OFF),
    ],
)
async def test_hostile_pop3(reader: Reader, answer: Answer, fault: Fault) -> None:
    """Whatever a POP3 server says, the pass ends with an error that names the place."""
    with server(b"+OK hello\r\n", answer) as port, pytest.raises(MailboxError, match=f"127.0.0.1:{port}") as caught:
        await poll(reader, port, SourceKind.POP3)
    assert caught.value.fault is fault


async def test_endless_answers(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that does not end is not kept: the connection is given up."""
    for module in (imap_module, pop3_module):
        monkeypatch.setattr(module, "ANSWER", 50_000)
    with (
        server(b"* OK hello\r\n", imap(fetch=LISTED * 1000)) as port,
        pytest.raises(MailboxError, match="50000") as one,
    ):
        await poll(reader, port)
    endless = pop(uidl=b"+OK\r\n" + b"1 a\r\n" * 20_000)
    with server(b"+OK hello\r\n", endless) as port, pytest.raises(MailboxError, match="without end") as other:
        await poll(reader, port, SourceKind.POP3)
    assert one.value.fault is other.value.fault is Fault.BROKEN_OFF


async def test_pop3_content(reader: Reader) -> None:
    """Dots are unstuffed, lines of any length are read, and what is beyond the kept part is dropped."""
    content = mail.dsn(verp(JAN), JAN).replace(b"\n", b"\r\n") + b"..dot\r\n" + b"x" * 900_000 + b"\r\n"
    with server(b"+OK hello\r\n", pop(content=b"+OK\r\n" + content + b".\r\n")) as port:
        found = (await poll(reader, port, SourceKind.POP3)).summary
        again = (await poll(reader, port, SourceKind.POP3)).summary
    assert (found.outcomes[MessageOutcome.RECOGNISED], again.seen_before, again.read) == (1, 1, 0)
    assert "truncated" in (await reader.site.events(JAN))[0].event.defects


@pytest.mark.parametrize(("kind", "greeting"), [(SourceKind.IMAP, b"* OK hi\r\n"), (SourceKind.POP3, b"+OK hi\r\n")])
async def test_no_encryption(reader: Reader, kind: SourceKind, greeting: bytes) -> None:
    """A server without STARTTLS or STLS never hears the password."""
    heard: list[bytes] = []
    talk = imap() if kind is SourceKind.IMAP else pop()

    def answer(line: bytes) -> bytes | None:
        heard.append(line)
        return talk(line)

    with server(greeting, answer) as port, pytest.raises(MailboxError) as caught:
        await poll(reader, port, kind, security=Security.STARTTLS)
    assert caught.value.fault is Fault.UNREACHABLE
    assert not any(b"jan" in line or b"pw" in line for line in heard)


def test_plain_to_strangers() -> None:
    """Without encryption a password goes to this host alone, unless that is allowed."""
    plain = MailboxOptions("x", SourceKind.IMAP, host="mail.example.com", security=Security.NONE, secret=Secret("pw"))
    with pytest.raises(MailboxError, match="unencrypted"):
        ImapSource(plain).open()
    for host in ("localhost", "127.0.0.1", "127.1.2.3", "::1"):
        assert MailboxOptions("x", SourceKind.IMAP, host=host, security=Security.NONE).may_send_password


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("INBOX", "INBOX"),
        ("Zwroty & co", "Zwroty &- co"),
        ("Żółte", "&AXsA8wFC-te"),
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("😀", "&2D3eAA-"),
    ],
)
def test_folder_names(name: str, encoded: str) -> None:
    """Modified UTF-7, the examples of RFC 3501 section 5.1.3 among them."""
    assert encoded_name(name) == encoded


@contextlib.contextmanager
def slow(said: bytes, forever: bytes = b"") -> Iterator[tuple[int, threading.Event]]:
    """A server that says something, then `forever` again and again, or nothing; its port, and whether it is called."""
    called, over = threading.Event(), threading.Event()

    def serve(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection, _ = listening.accept()
            with connection:
                connection.sendall(said)
                called.set()
                while not over.wait(0.01):
                    connection.sendall(forever)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()[1], called
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@pytest.mark.parametrize("kind", [SourceKind.IMAP, SourceKind.POP3])
@pytest.mark.parametrize("security", list(Security))
@pytest.mark.parametrize("forever", [b"", b"*"], ids=["silent", "dripping"])
async def test_told_to_stop(reader: Reader, kind: SourceKind, security: Security, forever: bytes) -> None:
    """A server that never ends its greeting or handshake keeps nobody who is told to stop."""
    with slow(b"", forever) as (port, called):
        made = Poll(options(port, kind, security=security, timeout=3600.0), reader.site.pipeline, reader.state)
        running = asyncio.create_task(made.run())
        assert await asyncio.to_thread(called.wait, 10)
        made.stop()
        with pytest.raises(MailboxError):
            await running


@pytest.mark.parametrize("kind", [SourceKind.IMAP, SourceKind.POP3])
async def test_stopped_in_handshake(reader: Reader, kind: SourceKind) -> None:
    """So does one that falls silent after it has agreed to STARTTLS."""
    talk: Answer = imap() if kind is SourceKind.IMAP else pop()
    asked = threading.Event()

    def answer(line: bytes) -> bytes | None:
        if b"STARTTLS" in line or line.startswith(b"STLS"):
            asked.set()
            return line.split()[0] + b" OK go\r\n" if kind is SourceKind.IMAP else b"+OK go\r\n"
        if line.startswith(b"CAPA"):
            return b"+OK\r\nSTLS\r\n.\r\n"
        if b"CAPABILITY" in line:
            return b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + line.split()[0] + b" OK done\r\n"
        return b"" if asked.is_set() else talk(line)

    with server(b"* OK\r\n" if kind is SourceKind.IMAP else b"+OK\r\n", answer) as port:
        changed = {"security": Security.STARTTLS, "timeout": 3600.0}
        made = Poll(options(port, kind, **changed), reader.site.pipeline, reader.state)
        running = asyncio.create_task(made.run())
        assert await asyncio.to_thread(asked.wait, 10)
        made.stop()
        with pytest.raises(MailboxError):
            await running


@pytest.mark.parametrize("kind", [SourceKind.IMAP, SourceKind.POP3])
async def test_dripping(reader: Reader, kind: SourceKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends an octet now and then, each in time, is given up when a step has taken too long."""
    monkeypatch.setattr(poll_module, "STEP_SECONDS", 0.1)
    with slow(b"", b"*") as (port, _), pytest.raises(MailboxError, match="no end of an answer") as caught:
        await poll(reader, port, kind, timeout=3600.0)
    assert caught.value.fault is Fault.BROKEN_OFF


@pytest.mark.parametrize(
    ("kind", "words", "fault"),
    [
        (SourceKind.POP3, b"-ERR [IN-USE] mailbox locked\r\n", Fault.BUSY),
        (SourceKind.POP3, b"-ERR [LOGIN-DELAY] minimum is 300 seconds\r\n", Fault.BUSY),
        (SourceKind.POP3, b"-ERR [SYS/TEMP] later\r\n", Fault.UNREACHABLE),
        (SourceKind.POP3, b"-ERR [AUTH] wrong\r\n", Fault.LOGIN),
        (SourceKind.IMAP, b"NO [UNAVAILABLE] backend down\r\n", Fault.UNREACHABLE),
        (SourceKind.IMAP, b"NO [LIMIT] too many connections\r\n", Fault.BUSY),
        (SourceKind.IMAP, b"NO [AUTHENTICATIONFAILED] wrong\r\n", Fault.LOGIN),
    ],
)
async def test_refused_for_now(reader: Reader, kind: SourceKind, words: bytes, fault: Fault) -> None:
    """A server that is busy or ill does not say that the password is wrong, and we don't either."""
    talk: Answer = imap() if kind is SourceKind.IMAP else pop()

    def answer(line: bytes) -> bytes | None:
        if b"LOGIN" in line:
            return line.split()[0] + b" " + words
        return words if line.startswith(b"PASS") else talk(line)

    greeting = b"* OK\r\n" if kind is SourceKind.IMAP else b"+OK\r\n"
    with server(greeting, answer) as port, pytest.raises(MailboxError, match="login refused") as caught:
        await poll(reader, port, kind)
    assert caught.value.fault is fault


async def test_login_beyond_ascii(reader: Reader) -> None:
    """A server without AUTH=PLAIN hears a password that is not ASCII in UTF-8, and the user's name as it is."""
    heard: list[bytes] = []
    talk = imap(b"* 0 EXISTS\r\n")

    def answer(line: bytes) -> bytes | None:
        heard.append(line)
        return talk(line)

    with server(b"* OK hello\r\n", answer) as port:
        await poll(reader, port, user="jan&co", secret=Secret(held='żółw "7\\'))
    (login,) = [line for line in heard if b"LOGIN" in line]
    assert login.partition(b" ")[2].decode() == 'LOGIN "jan&co" "żółw \\"7\\\\"\r\n'


async def test_refused_by_the_target(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full target folder: every message is recorded all the same, and the fault is the disk's, not the setting's."""
    monkeypatch.setattr(poll_module, "BATCH", 1)
    bounces = {number: mail.dsn(verp(JAN), JAN) for number in (5, 6)}
    listed = LISTED + LISTED.replace(b"UID 5", b"UID 6")
    talk = imap(b"", listed)

    def answer(line: bytes) -> bytes | None:
        tag, _, command = line.rstrip().partition(b" ")
        if b"CAPABILITY" in command:
            return b"* CAPABILITY IMAP4rev1 MOVE\r\n" + tag + b" OK done\r\n"
        if command.startswith(b"SELECT"):
            return b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n" + tag + b" OK [READ-WRITE] done\r\n"
        if b"BODY.PEEK" in command:
            number = int(command.split()[2])
            return literal(number, bounces[number]) + tag + b" OK done\r\n"
        return tag + b" NO [OVERQUOTA] full\r\n" if b"UID MOVE" in command else talk(line)

    with server(b"* OK hello\r\n", answer) as port, pytest.raises(MailboxError, match="OVERQUOTA") as caught:
        await poll(reader, port, after=After.MOVE, move_to="Zwroty")
    assert caught.value.fault is Fault.DISK
    assert len(await reader.site.events(JAN)) == 2


async def test_listed_anew_each_day(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailbox is listed from where the last pass ended; once a day wholly, so that what has gone is forgotten."""
    heard: list[bytes] = []
    talk = imap(fetch=LISTED, body=literal(5, mail.dsn(verp(JAN), JAN)))

    def answer(line: bytes) -> bytes | None:
        heard.append(line)
        return talk(line)

    with server(b"* OK hello\r\n", answer) as port:
        for day in ("2026-01-05", "2026-01-05", "2026-01-06"):
            monkeypatch.setattr(poll_module, "_today", lambda day=day: day)
            await poll(reader, port)
    lists = [line.partition(b" ")[2] for line in heard if b"FETCH" in line and b"PEEK" not in line]
    assert [line.split(b" (")[0] for line in lists] == [b"FETCH 1:1", b"UID FETCH 6:*", b"FETCH 1:1"]


async def test_no_more_lines_than_needed(reader: Reader) -> None:
    """Of a message by TOP no more lines are asked for than can count: the rest of a large one is not sent."""
    heard: list[bytes] = []
    talk = pop()

    def answer(line: bytes) -> bytes | None:
        heard.append(line)
        if line.startswith(b"CAPA"):
            return b"+OK\r\nTOP\r\n.\r\n"
        return b"+OK\r\n" + mail.dsn(verp(JAN), JAN) + b".\r\n" if line.startswith(b"TOP") else talk(line)

    with server(b"+OK hello\r\n", answer) as port:
        assert (await poll(reader, port, SourceKind.POP3)).summary.outcomes[MessageOutcome.RECOGNISED] == 1
    assert [line for line in heard if line.startswith((b"TOP", b"RETR"))] == [b"TOP 1 262144\r\n"]

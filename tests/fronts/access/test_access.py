"""What Postfix gets when it asks about recipients itself."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bouncemilter.enforcement import Refusal
from bouncemilter.fronts.access import AccessFront, AccessOptions
from bouncemilter.fronts.access.server import CONNECTIONS, REFUSED
from bouncemilter.stream import Match, Origin, Stream, StreamKind, owner

NEWS = Stream("news", StreamKind.BULK, Match(sender=("news@example.com",)))
WORDS = "550 5.7.1 " + Refusal(None).text(authenticated=False)


class ScriptedOutgoing:
    """`gone@…` is suppressed for the stream `news`, to which mail of `news@example.com` belongs."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Origin]] = []
        self.counted: list[str] = []

    def owner(self, origin: Origin, name: str) -> Stream | None:
        return owner([NEWS], origin, name)

    async def refusal_on_loop(self, _stream: Stream, origin: Origin, recipient: str) -> Refusal | None:
        self.asked.append((recipient, origin))
        if recipient.startswith("broken@"):
            raise RuntimeError("private detail")
        return Refusal(None) if recipient.startswith("gone@") else None

    def record_refusal(self, _stream: Stream, recipient: str, _refusal: Refusal) -> None:
        self.counted.append(recipient)


@pytest.fixture
def outgoing() -> ScriptedOutgoing:
    return ScriptedOutgoing()


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="access-") as folder:
        yield Path(folder) / "access.sock"


@pytest.fixture
async def front(outgoing: ScriptedOutgoing, path: Path) -> AsyncIterator[AccessFront]:
    served = AccessFront(AccessOptions(f"unix:{path}", connections=2), outgoing)
    await served.start()
    yield served
    await served.stop()


@contextlib.asynccontextmanager
async def connection(path: Path) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        yield reader, writer
    finally:
        writer.close()


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what another task does."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def ask(path: Path, *requests: bytes) -> list[bytes]:
    """The answer to each request, over one connection."""
    answers = []
    async with connection(path) as (reader, writer):
        for request in requests:
            writer.write(request)
            await writer.drain()
            answers.append(await asyncio.wait_for(reader.read(4096), 5))
    return answers


def netstring(text: str) -> bytes:
    raw = text.encode()
    return b"%d:%s," % (len(raw), raw)


def policy(**attributes: str) -> bytes:
    given = {"request": "smtpd_access_policy", "protocol_state": "RCPT"} | attributes
    return "".join(f"{name}={value}\n" for name, value in given.items()).encode() + b"\n"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("news gone@example.org", f"OK {WORDS}"),
        ("news anna@example.org", "NOTFOUND "),
        ("other gone@example.org", "NOTFOUND "),
        ("news example.org", "NOTFOUND "),
        ("news gone@", "NOTFOUND "),
        ("news @example.org", "NOTFOUND "),
        ("news żona@example.org", "NOTFOUND "),
    ],
)
async def test_socketmap(front: AccessFront, path: Path, question: str, answer: str) -> None:
    """A table look-up names the stream and the recipient; parts of an address are never found."""
    assert await ask(path, netstring(question)) == [netstring(answer)]


@pytest.mark.parametrize(
    ("attributes", "answer"),
    [
        ({"recipient": "gone@example.org", "sender": "news@example.com"}, WORDS),
        ({"recipient": "gone@example.org", "sender": "jan@example.com"}, "DUNNO"),
        ({"recipient": "gone@example.org", "sender": "jan@example.com", "policy_context": "news"}, WORDS),
        ({"recipient": "anna@example.org", "sender": "news@example.com"}, "DUNNO"),
        ({"recipient": "gone@example.org", "sender": "news@example.com", "protocol_state": "DATA"}, "DUNNO"),
        ({"recipient": "", "sender": "news@example.com"}, "DUNNO"),
        ({"recipient": "gone@example.org", "sender": "", "policy_context": "news"}, "DUNNO"),
    ],
)
async def test_policy(front: AccessFront, path: Path, attributes: dict[str, str], answer: str) -> None:
    """A policy request is judged by the stream that its context names, else by the one that owns the message; mail from
    the null reverse-path by none.
    """
    assert await ask(path, policy(**attributes)) == [f"action={answer}\n\n".encode()]


async def test_origin(front: AccessFront, path: Path, outgoing: ScriptedOutgoing) -> None:
    """What Postfix says of the client is what streams are matched by."""
    request = policy(
        recipient="a@example.org", sender="news@example.com", sasl_username="shop", client_address="192.0.2.7"
    )
    await ask(path, request)
    assert outgoing.asked == [
        ("a@example.org", Origin("192.0.2.7", "", "shop", local=False, sender="news@example.com"))
    ]


async def test_many_questions_on_one_connection(front: AccessFront, path: Path, outgoing: ScriptedOutgoing) -> None:
    """Postfix keeps its connection; both protocols may come over it, and each refusal is counted."""
    answers = await ask(path, netstring("news gone@a.pl"), policy(recipient="gone@b.pl", policy_context="news"))
    assert answers == [netstring(f"OK {WORDS}"), f"action={WORDS}\n\n".encode()]
    assert outgoing.counted == ["gone@a.pl", "gone@b.pl"]


@pytest.mark.parametrize(
    "request_",
    [
        b"99999999999:x,",
        b"5:news x",
        b"9:news a@b;",
        b"10:gone@a.example,",
        b"request=junk\n\n",
        b"no equals sign\n\n",
        b"a=b\n" * 4000,
        b"\0\xff\xfe\n\n",
    ],
)
async def test_garbage(front: AccessFront, path: Path, request_: bytes) -> None:
    """F17: what is no request ends its connection, and the next one is served."""
    async with connection(path) as (reader, writer):
        writer.write(request_)
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 5) == b""
    assert await ask(path, netstring("news anna@example.org")) == [netstring("NOTFOUND ")]


async def test_fault_of_ours(front: AccessFront, path: Path) -> None:
    """A fault of ours is the answer that nothing is known, without a detail: the mail goes."""
    assert await ask(path, netstring("news broken@a.pl")) == [netstring("NOTFOUND ")]
    assert await ask(path, policy(recipient="broken@a.pl", policy_context="news")) == [b"action=DUNNO\n\n"]


async def test_connections_are_capped(front: AccessFront, path: Path) -> None:
    """F14: beyond the cap a connection is closed, counted, and logged once a minute, and one that ends makes room."""
    refused = REFUSED._value.get()
    async with connection(path), connection(path):
        await until(lambda: CONNECTIONS._value.get() == 2)
        with capture_logs() as lines:
            for _ in range(2):
                async with connection(path) as (reader, _writer):
                    assert await asyncio.wait_for(reader.read(), 5) == b""
        assert [(line["event"], line["connections"]) for line in lines] == [("access_full", 2)]
        assert REFUSED._value.get() == refused + 2
    await until(lambda: CONNECTIONS._value.get() == 0)
    assert await ask(path, netstring("news anna@example.org")) == [netstring("NOTFOUND ")]


async def test_socket_goes_with_the_front(outgoing: ScriptedOutgoing, path: Path) -> None:
    """The socket's permissions are as set, and it is gone when the front has stopped."""
    served = AccessFront(AccessOptions(f"unix:{path}", 0o600), outgoing)
    await served.start()
    assert path.stat().st_mode & 0o777 == 0o600  # noqa: ASYNC240
    await served.stop()
    assert not path.exists()  # noqa: ASYNC240

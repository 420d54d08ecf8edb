"""MAIL, RCPT and XFORWARD over real sockets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bouncemilter.fronts.sink import Listener, Protocol, Sink
from bouncemilter.model import Front, Source
from tests.rig.lmtp import Client

OURS = "bounces+anna=example.net@bounces.example.com"
MAIL = b"Subject: x\r\n\r\nx\r\n"


@pytest.fixture
def smtp(sink: Sink) -> Client:
    return Client(sink.addresses[0])


@pytest.fixture
def lmtp(sink: Sink) -> Client:
    return Client(sink.addresses[1], lmtp=True)


async def test_greeting(smtp: Client) -> None:
    """Banner and EHLO name the host, and neither program nor version; XFORWARD is for the trusted."""
    async with smtp as client:
        assert client.banner == "220 sink.example.com ESMTP"
        words = (await client.hello()).splitlines()
    assert words == [
        "250-sink.example.com",
        "250-PIPELINING",
        "250-SIZE 52428800",
        "250-8BITMIME",
        "250 SMTPUTF8",
    ]


async def test_lhlo_required(lmtp: Client) -> None:
    """LMTP takes LHLO only (RFC 2033 section 4.1)."""
    async with lmtp as client:
        assert client.banner == "220 sink.example.com LMTP"
        assert (await client.cmd("EHLO x")).startswith("500 ")
        assert (await client.cmd("HELO x")).startswith("500 ")
        assert (await client.cmd("MAIL FROM:<>")).startswith("503 ")
        assert (await client.cmd("LHLO x")).startswith("250-")
        assert (await client.cmd("MAIL FROM:<>")).startswith("250 ")


@pytest.mark.parametrize(
    ("recipient", "code"),
    [
        (OURS, "250 2.1.5"),
        ("bounces+no-such-token@BOUNCES.example.com", "250 2.1.5"),
        ("jan@example.pl", "250 2.1.5"),
        ("postmaster@bounces.example.com", "250 2.1.5"),
        ("Abuse@bounces.example.com", "250 2.1.5"),
        ("Postmaster", "250 2.1.5"),
        ("anna@bounces.example.com", "550 5.1.1"),
        ("anna@example.org", "550 5.1.1"),
        ("", "550 5.1.1"),
    ],
)
async def test_rcpt(smtp: Client, recipient: str, code: str) -> None:
    """RCPT is answered by form alone, and stores nothing."""
    async with smtp as client:
        await client.hello()
        assert (await client.envelope("", [recipient]))[1].startswith(code)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("MAIL FROM:<> SIZE=1000 BODY=8BITMIME SMTPUTF8", "250"),
        ("MAIL FROM:<a@b.test> RET=HDRS ENVID=QQ314159", "250"),
        ("MAIL FROM:<> SIZE=52428800", "250"),
        ("MAIL FROM:<> SIZE=52428801", "552 5.3.4"),
        ("MAIL FROM:<> BODY=BINARYMIME", "501"),
        ("MAIL FROM:<> COLOUR=blue", "555"),
        ("RCPT TO:<jan@example.pl>", "503"),
        ("DATA", "503"),
        ("VRFY jan@example.pl", "252"),
        ("EXPN staff", "502"),
        ("AUTH PLAIN", "500"),
        ("STARTTLS", "500"),
        ("XFORWARD SOURCE=LOCAL", "550"),
    ],
)
async def test_reply(smtp: Client, line: str, code: str) -> None:
    """Each command gets the reply of its standard."""
    async with smtp as client:
        await client.hello()
        assert (await client.cmd(line)).startswith(code)


async def test_rcpt_parameters(smtp: Client, pipeline: Any) -> None:
    """DSN parameters of RCPT (RFC 3461) are taken, and change nothing."""
    async with smtp as client:
        await client.hello()
        await client.cmd("MAIL FROM:<>")
        line = f"RCPT TO:<{OURS}> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;anna+2Bx@example.net"
        assert (await client.cmd(line)).startswith("250")
        await client.data(MAIL)
    assert pipeline.flights[0].envelope.recipients == (OURS,)


async def test_data_without_recipients(lmtp: Client) -> None:
    """DATA after refused recipients only is 503, once (RFC 2033 section 4.2)."""
    async with lmtp as client:
        await client.hello()
        assert (await client.envelope("", ["x@example.org"]))[1].startswith("550")
        assert (await client.data(MAIL))[0].startswith("503")
        assert (await client.quit()).startswith("221")


async def test_pipelining(smtp: Client, pipeline: Any) -> None:
    """Commands sent at once, and those behind the content, are answered in order."""
    async with smtp as client:
        await client.hello()
        await client.send(f"MAIL FROM:<>\r\nRCPT TO:<{OURS}>\r\nDATA\r\n".encode())
        assert [(await client.reply())[:3] for _ in range(3)] == ["250", "250", "354"]
        await client.send(MAIL + f".\r\nMAIL FROM:<b@c.test>\r\nRCPT TO:<{OURS}>\r\nDATA\r\n".encode())
        assert [(await client.reply())[:3] for _ in range(4)] == ["250", "250", "250", "354"]
        await client.send(MAIL + b".\r\nQUIT\r\n")
        assert [(await client.reply())[:3] for _ in range(2)] == ["250", "221"]
    assert [flight.envelope.sender for flight in pipeline.flights] == ["", "b@c.test"]


async def test_envelope(lmtp: Client, pipeline: Any) -> None:
    """The pipeline gets sender, recipients, head and size; without XFORWARD the source is unknown."""
    async with lmtp as client:
        await client.hello()
        assert await client.deliver("Łukasz@example.pl", [OURS, "jan@example.pl"], MAIL) == ["250 2.0.0 OK"] * 2
    (flight,) = pipeline.flights
    envelope = flight.envelope
    assert (envelope.front, envelope.sender, envelope.source) == (Front.SINK, "Łukasz@example.pl", Source.UNKNOWN)
    assert envelope.recipients == (OURS, "jan@example.pl")
    assert (flight.head, flight.size) == (MAIL, len(MAIL))


async def test_no_state_between_messages(smtp: Client, pipeline: Any) -> None:
    """Nothing of one transaction gets into the next, by RSET, EHLO or the end of the content."""
    async with smtp as client:
        await client.hello()
        for end in ("RSET", "EHLO again.example.com"):
            await client.envelope("one@example.com", ["jan@example.pl"])
            assert (await client.cmd(end)).startswith("250")
            assert (await client.cmd("DATA")).startswith("503")
        await client.deliver("two@example.com", [OURS], MAIL)
        await client.deliver("", ["jan@example.pl"], MAIL)
    assert [(each.envelope.sender, each.envelope.recipients) for each in pipeline.flights] == [
        ("two@example.com", (OURS,)),
        ("", ("jan@example.pl",)),
    ]


async def test_xforward_trusted(make_sink: Callable[..., Any], pipeline: Any) -> None:
    """A trusted client's XFORWARD gives source and client of the next message, and of that one only."""
    sink = await make_sink(trusted_clients=("127.0.0.0/8",))
    async with Client(sink.addresses[1], lmtp=True) as client:
        assert "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE" in await client.hello()
        assert (await client.cmd("XFORWARD NAME=mx.example.org ADDR=192.0.2.9 PORT=[UNAVAILABLE]")).startswith("250")
        assert (await client.cmd("XFORWARD PROTO=ESMTP HELO=mx IDENT=4F SOURCE=REMOTE")).startswith("250")
        await client.deliver("", [OURS], MAIL)
        await client.cmd("XFORWARD SOURCE=LOCAL")
        await client.deliver("", [OURS], MAIL)
        await client.deliver("", [OURS], MAIL)
        await client.cmd("XFORWARD SOURCE=LOCAL")
        await client.cmd("RSET")
        await client.deliver("", [OURS], MAIL)
        assert (await client.cmd("XFORWARD SOURCE=MOON")).startswith("501")
        await client.cmd("MAIL FROM:<>")
        assert (await client.cmd("XFORWARD SOURCE=LOCAL")).startswith("503")
    assert [(each.envelope.source, each.envelope.client) for each in pipeline.flights] == [
        (Source.REMOTE, "192.0.2.9"),
        (Source.LOCAL, ""),
        (Source.UNKNOWN, ""),
        (Source.UNKNOWN, ""),
    ]


@pytest.mark.parametrize("trusted", [True, False])
async def test_xforward_unix(make_sink: Callable[..., Any], tmp_path: Path, trusted: bool) -> None:
    """On a unix socket a setting says whether XFORWARD is believed."""
    listeners = (Listener(Protocol.LMTP, f"unix:{tmp_path}/sink"),)
    sink = await make_sink(listeners=listeners, trust_unix_sockets=trusted)
    async with Client(sink.addresses[0], lmtp=True) as client:
        assert ("XFORWARD" in await client.hello()) is trusted
        assert (await client.cmd("XFORWARD SOURCE=LOCAL")).startswith("250" if trusted else "550")


async def test_helo(smtp: Client) -> None:
    """A client without extensions is served; a greeting without a name is refused."""
    async with smtp as client:
        assert (await client.cmd("HELO")).startswith("501")
        assert (await client.cmd("EHLO")).startswith("501")
        assert await client.cmd("HELO old.example.com") == "250 sink.example.com"
        assert await client.deliver("", [OURS], MAIL) == ["250 2.0.0 OK"]
        assert (await client.cmd("MAIL FROM:<>")).startswith("250")
        assert (await client.cmd("MAIL FROM:<>")).startswith("503")

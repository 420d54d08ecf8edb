"""The sink behind a real Postfix."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bouncemilter.fronts.sink import Listener, Protocol
from bouncemilter.model import Disposition, Source
from tests.rig.postfix import Postfix, open_folder

pytestmark = pytest.mark.servers

ONE = "bounces+1=example.net@bounces.example.com"
TWO = "bounces+2=example.net@bounces.example.com"
MAIL = b"From: anna@local.test\r\nSubject: x\r\n\r\nDzie\xc5\x84 dobry\r\n.\r\n"


@pytest.fixture
async def folder() -> AsyncIterator[Path]:
    with open_folder() as made:
        yield made


@pytest.mark.parametrize("kind", ["lmtp", "smtp", "unix"])
async def test_postfix(make_sink: Callable[..., Any], pipeline: Any, folder: Path, kind: str) -> None:
    """Postfix hands over mail with its source, over LMTP, SMTP and a unix socket, and gets passed mail back."""
    unix = Listener(Protocol.LMTP, f"unix:{folder}/sink", 0o666)
    inet = Listener(Protocol.SMTP if kind == "smtp" else Protocol.LMTP, "inet:127.0.0.1:0")
    postfix = Postfix(folder / "postfix", mailboxes=["@bounces.example.com"])
    sink = await make_sink(
        listeners=(unix if kind == "unix" else inet,),
        trusted_clients=("127.0.0.0/8",),
        forward_to=f"inet:127.0.0.1:{postfix.ports['inject']}",
    )
    address = sink.addresses[0]
    port = address.rpartition(":")[2]
    transport = f"lmtp:{address}" if kind == "unix" else f"{kind}:[127.0.0.1]:{port}"
    pipeline.dispositions = {TWO: Disposition.PASS}
    sending = Postfix(
        folder / "sending",
        transports={"bounces.example.com": transport, "dead.test": "error:5.1.1 no such user"},
        parameters={"lmtp_send_xforward_command": "yes", "smtp_send_xforward_command": "yes"},
    )

    def talk() -> list[bytes]:
        with postfix, sending:
            sending.inject("", [ONE, TWO], MAIL)
            sending.sendmail(["-f", "<>", ONE], MAIL)
            sending.sendmail(["-f", ONE, "jan@dead.test"], MAIL)  # undeliverable: Postfix's own report
            sending.wait_for(lambda: len(pipeline.flights) >= 3 and not sending.queue())
            return postfix.wait_for(lambda: postfix.mailbox("@bounces.example.com"))

    (passed,) = await asyncio.to_thread(talk)
    assert b"\nX-Bouncemilter: passed\n" in passed
    assert passed.endswith(b"\n\nDzie\xc5\x84 dobry\n.\n")
    by_count = sorted(pipeline.flights, key=lambda flight: len(flight.envelope.recipients))
    assert [(each.envelope.source, each.envelope.client) for each in by_count] == [
        (Source.LOCAL, ""),
        (Source.LOCAL, ""),
        (Source.REMOTE, "127.0.0.1"),
    ]
    assert by_count[2].settled == (Disposition.DISCARD, Disposition.PASS)

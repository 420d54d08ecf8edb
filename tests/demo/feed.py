"""How the demo's mails get to the daemon: by a private Postfix, or without one by the raw protocols."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tests.demo.script import Item
from tests.rig.daemon import Daemon
from tests.rig.lmtp import Client
from tests.rig.milter import MilterClient
from tests.rig.peer import Peer
from tests.rig.postfix import PATH, Postfix

MAILBOX = "newsletter@own.test"
REFUSAL = "550 5.1.1 <nieznany@odbiorca.test>: Recipient address rejected: User unknown in virtual mailbox table"


class Feed(Protocol):
    """A way to the daemon."""

    description: str

    def send(self, item: Item) -> None:
        """Send one mail to where its way leads."""
        ...

    def mailbox(self) -> list[bytes]:
        """What was delivered to the watched address's mailbox."""
        ...


@contextlib.contextmanager
def open_feed(folder: Path, daemon: Daemon) -> Iterator[Feed]:
    """The best feed that this machine has."""
    if os.geteuid() != 0:
        yield RawFeed(daemon, "Not root, so without a mail server of our own (root would add a private Postfix).")
    elif shutil.which("postfix", path=PATH) is None:
        other = shutil.which("sendmail", path=PATH)
        reason = (
            "Another mail server is installed here, and Postfix would replace it." if other else "No Postfix is here."
        )
        yield RawFeed(daemon, reason)
    else:
        with Peer(rcpt={"nieznany@odbiorca.test": REFUSAL}) as peer, _postfix(folder, daemon, peer) as postfix:
            yield PostfixFeed(postfix)


def _postfix(folder: Path, daemon: Daemon, peer: Peer) -> Postfix:
    milter = f"{{ unix:{daemon.milter}, default_action=accept }}"
    return Postfix(
        folder,
        mailboxes=[MAILBOX],
        transports={"bounces.own.test": f"lmtp:unix:{daemon.lmtp}", "odbiorca.test": peer.transport},
        milters=milter,
        parameters={"lmtp_send_xforward_command": "yes"},
    )


class PostfixFeed:
    """A private Postfix: the sink behind transport_maps, the milter behind smtpd_milters."""

    description = (
        "A private Postfix runs on loopback: the return-path domain is routed to the sink, the milter is asked."
    )

    def __init__(self, postfix: Postfix) -> None:
        self._postfix = postfix

    def send(self, item: Item) -> None:
        """Hand the mail to Postfix over SMTP, as any other host would."""
        if item.way == "mailing":
            self._postfix.inject(item.recipient, [item.about], item.content, "inject")
        else:
            self._postfix.inject(item.sender, [item.recipient], item.content)

    def mailbox(self) -> list[bytes]:
        """The mailbox of the watched address."""
        return self._postfix.mailbox(MAILBOX)


class RawFeed:
    """No mail server: LMTP and the milter protocol are spoken by the demo itself."""

    def __init__(self, daemon: Daemon, reason: str) -> None:
        self.description = f"{reason} The mails are given to the daemon by raw LMTP and the raw milter protocol."
        self._daemon = daemon
        self._delivered: list[bytes] = []

    def send(self, item: Item) -> None:
        """Speak the protocol of the mail's way; a mailing bounces as Postfix would have bounced it."""
        content = _postfix_bounce(item) if item.way == "mailing" else item.content
        if item.way == "milter":
            self._by_milter(item, content)
        else:
            asyncio.run(self._by_lmtp(item, content.replace(b"\n", b"\r\n")))

    async def _by_lmtp(self, item: Item, content: bytes) -> None:
        async with Client(f"unix:{self._daemon.lmtp}", lmtp=True) as client:
            await client.hello()
            source = "LOCAL" if item.way == "mailing" else "REMOTE"
            await client.cmd(f"XFORWARD SOURCE={source}")
            await client.deliver(item.sender, [item.recipient], content)

    def _by_milter(self, item: Item, content: bytes) -> None:
        with MilterClient(str(self._daemon.milter)) as client:
            client.open()
            answer = client.message([f"<{item.recipient}>"], f"<{item.sender}>", content.replace(b"\n", b"\r\n"))
        for name, value in answer.added:
            self._delivered.append(f"{name}: {value}\n".encode() + item.content)

    def mailbox(self) -> list[bytes]:
        """What the milter let pass."""
        return self._delivered


def _postfix_bounce(item: Item) -> bytes:
    """What bounce(8) writes when a peer answers REFUSAL."""
    head = f"""\
Received: by mx.rig.test (Postfix) id 4D1; Mon, 05 Jan 2026 09:00:00 +0100 (CET)
From: MAILER-DAEMON@mx.rig.test (Mail Delivery System)
To: {item.recipient}
Subject: Undelivered Mail Returned to Sender
Message-Id: <20260105080000.4D1@mx.rig.test>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="4D1"

--4D1
Content-Type: text/plain; charset=us-ascii

<{item.about}>: host 127.0.0.1[127.0.0.1] said: {REFUSAL} (in reply to RCPT TO command)

--4D1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.rig.test

Final-Recipient: rfc822; {item.about}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; {REFUSAL}

--4D1
Content-Type: text/rfc822-headers

"""
    return head.encode() + item.content.partition(b"\n\n")[0] + b"\n\n--4D1--\n"

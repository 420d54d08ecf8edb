"""The world of outgoing mail: a submission service with the milter, the sink behind the return-path domain, a peer."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rig.daemon import Daemon
from tests.rig.peer import Mail, Peer
from tests.rig.postfix import Postfix

RETURN_PATHS = "bounces.own.test"
STREAM = """
[[stream]]
name = "news"
kind = "bulk"
return_path = "bounces.own.test"
suppressed = "{suppressed}"
[stream.match]
daemon_name = ["ORIGINATING"]
"""
LOCAL_STREAM = """
[[stream]]
name = "programs"
kind = "bulk"
return_path = "bounces.own.test"
[stream.match]
local_user = true
sender_domain = ["own.test"]
"""


@dataclass
class OutgoingWorld:
    """A program submits mail and knows nothing of return paths."""

    daemon: Daemon
    postfix: Postfix
    peer: Peer

    def submit(
        self, *recipients: str, message: bytes, sender: str = "news@own.test", service: str = "submission"
    ) -> Any:
        """Hand a message in, as such a program does."""
        return self.postfix.inject(sender, recipients, message, service)

    def left(self, recipient: str) -> list[Mail]:
        """What the peer took for somebody."""
        return [each for each in self.peer.accepted if recipient in each.recipients]

    def wait_for_suppression(self, address: str) -> None:
        """Until the daemon has it, and its look-up knows."""
        self.daemon.wait_for(lambda: self.daemon.suppressed(address))
        self.daemon.wait_for(lambda: self.daemon.metric("bouncemilter_suppression_index_entries") >= 1)


def make_key(folder: Path) -> Path:
    """A key file, made by the command."""
    path = folder / "b.key"
    subprocess.run(
        [sys.executable, "-m", "bouncemilter", "returnpath", "keygen", str(path)], check=True, capture_output=True
    )
    return path


def tables(key: Path, streams: str = STREAM.format(suppressed="refuse")) -> str:
    """The configuration of a signed return path and its streams."""
    return f"""
[[return_path]]
domain = "{RETURN_PATHS}"
prefix = "b"
sender_domains = ["own.test"]
key_file = "{key}"
{streams}
"""


@contextlib.contextmanager
def outgoing_world(
    folder: Path, peer: Peer, streams: str = STREAM.format(suppressed="refuse"), more: str = "", **parameters: str
) -> Iterator[OutgoingWorld]:
    """The usual one, or with other streams and tables."""
    daemon = Daemon(folder / "daemon", tables(make_key(folder), streams) + more)
    milter = f"{{ unix:{daemon.milter}, default_action=tempfail, command_timeout=10s }}"
    postfix = Postfix(
        folder / "postfix",
        mailboxes=["jan@own.test", "news@own.test"],
        transports={RETURN_PATHS: f"lmtp:unix:{daemon.lmtp}", "remote.test": peer.transport},
        milters=milter,
        non_smtpd_milters=milter,
        services={
            "submission": {"milter_macro_daemon_name": "ORIGINATING"},
            "plain": {"smtpd_milters": "", **_access(daemon)},
        },
        parameters={"lmtp_send_xforward_command": "yes", **parameters},
    )
    with daemon, postfix:
        yield OutgoingWorld(daemon, postfix, peer)


def access_socket(daemon: Daemon) -> Path:
    """Where Postfix asks without a milter."""
    return daemon.lmtp.with_name("access.sock")


def _access(daemon: Daemon) -> dict[str, str]:
    return {"smtpd_recipient_restrictions": f"check_recipient_access socketmap:unix:{access_socket(daemon)}:news"}

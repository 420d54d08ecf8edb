"""The daemon and a private Sendmail that has exactly the lines that `config sendmail` prints for it."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bouncemilter.assembly.site import site_of
from bouncemilter.mta.sendmail.snippet import Snippet, snippet
from bouncemilter.settings import load
from tests.rig.daemon import Daemon
from tests.rig.peer import Peer
from tests.rig.sendmail import Sendmail

_LISTENER = re.compile(r"DAEMON_OPTIONS\(`Name=(?P<name>\w+), .*?(?P<options>InputMailFilters=[^']*)'\)dnl\n")


@dataclass(frozen=True)
class SendmailWorld:
    """own.test is delivered here, remote.test goes to the peer, the return paths to the sink if there is one."""

    daemon: Daemon
    sendmail: Sendmail
    peer: Peer

    def events(self, address: str) -> list[dict[str, object]]:
        """The events of an address, the newest first."""
        found: list[dict[str, object]] = [each["event"] for each in self.daemon.why(address)["events"]]
        return found


@contextlib.contextmanager
def sendmail_world(
    folder: Path,
    peer: Peer,
    tables: str = "",
    *,
    sink: bool = True,
    milter: bool = True,
    definitions: str = "",
    transports: Mapping[str, str] | None = None,
) -> Iterator[SendmailWorld]:
    """A world in `folder`, which must be one of `safe_folder`.

    `tables` as in `Daemon`. Each stream with a `daemon_name` has a listener of that name, as printed, on a free port:
    `sendmail.inject(…, service="NAME")`. `definitions`: more lines for the .mc. `transports`: more of the mailertable.
    """
    daemon = Daemon(folder / "daemon", tables, sink=sink, milter=milter)
    printed = snippet(site_of(load(daemon.config, environment=False)))
    sendmail = Sendmail(
        folder / "sendmail",
        local_domains=["own.test"],
        transports={"remote.test": peer.transport, **routes(printed), **(transports or {})},
        services={found["name"]: found["options"] for found in _LISTENER.finditer(printed.definitions)},
        definitions=_LISTENER.sub("", printed.definitions) + definitions,
        mailers=printed.rules,
    )
    with daemon, sendmail:
        yield SendmailWorld(daemon, sendmail, peer)


def routes(printed: Snippet) -> dict[str, str]:
    """The printed lines of the mailertable."""
    lines = (line for line in printed.mailertable.splitlines() if not line.startswith("#"))
    pairs = (line.split() for line in lines)
    return {pair[0]: pair[1] for pair in pairs}

"""The demo from its start to its end: what is sent, waited for and shown."""

from __future__ import annotations

import signal
import time
from types import FrameType

from tests.demo import showing
from tests.demo.feed import open_feed
from tests.demo.script import Item, load
from tests.rig.daemon import Daemon
from tests.rig.postfix import open_folder

ANSWER_SECONDS = 60
WATCHED = """
[inbound]
own_domains = ["own.test"]
addresses = ["newsletter@own.test"]
"""


def run() -> int:
    """Run the demo; 0 when everything came out as it went in. Raises KeyboardInterrupt, for SIGTERM too."""
    signal.signal(signal.SIGTERM, _interrupt)
    started = time.monotonic()
    items = load()
    with open_folder() as folder, Daemon(folder / "daemon", WATCHED) as daemon:
        showing.say(f"The daemon runs, on an SQLite store in {daemon.state}.")
        with open_feed(folder / "postfix", daemon) as feed:
            showing.say(feed.description)
            showing.say(f"Sending {len(items)} mails …")
            for item in items:
                feed.send(item)
                _wait_until_settled(daemon, item)
            settled = showing.mails(items, daemon, feed)
            showing.suppressions(daemon)
            showing.why(daemon, "k.nowak@sklep.test")
            showing.metrics(daemon)
    showing.real_installation(time.monotonic() - started)
    return 0 if settled else 1


def _wait_until_settled(daemon: Daemon, item: Item) -> None:
    """Until the daemon has answered for as many as this mail makes: in this order the history reads well."""
    wanted = item.number
    daemon.wait_for(lambda: daemon.metric("bouncemilter_disposed_total") >= wanted, ANSWER_SECONDS)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt

"""`make demo`: bounces go into a real mail server, suppressions come out.

Needs nothing but the project's own environment. With root and Debian's Postfix, a private instance of it carries the
mail; without, the same mail is given to the daemon over raw LMTP and the raw milter protocol, and that is said.
"""

from __future__ import annotations

import signal
import subprocess
import sys
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


def main() -> int:
    """Run the demo; 0 when everything came out as it went in."""
    signal.signal(signal.SIGTERM, _interrupt)
    started = time.monotonic()
    items = load()
    try:
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
    except KeyboardInterrupt:
        print("\nstopped; nothing was left running", file=sys.stderr)
        return 130
    showing.real_installation(time.monotonic() - started)
    return 0 if settled else 1


def _wait_until_settled(daemon: Daemon, item: Item) -> None:
    """Until the daemon has answered for as many as this mail makes: in this order the history reads well."""
    wanted = item.number
    daemon.wait_for(lambda: daemon.metric("bouncemilter_disposed_total") >= wanted, ANSWER_SECONDS)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, RuntimeError, TimeoutError, subprocess.SubprocessError) as error:
        print(f"the demo failed: {error}", *getattr(error, "__notes__", ()), sep="\n", file=sys.stderr)
        sys.exit(1)

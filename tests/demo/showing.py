"""What the demo prints, read back from the store, the mailbox and the daemon."""

from __future__ import annotations

import asyncio
import email
import email.policy

from bouncemilter import address
from bouncemilter.cli import show
from bouncemilter.store import Store, StoredEvent
from tests.demo.feed import MAILBOX, Feed
from tests.demo.script import Item
from tests.rig.daemon import Daemon

HEADER = "X-Bouncemilter"


def say(words: str) -> None:
    """One line of the story."""
    print(words, flush=True)


def mails(items: list[Item], daemon: Daemon, feed: Feed) -> bool:
    """The table of what came, what it was and why, and what was done; whether all of it is accounted for."""
    histories = asyncio.run(_histories(daemon, {item.about for item in items}))
    delivered = _message_ids(feed.mailbox())
    passed = _message_ids([path.read_bytes() for path in (daemon.state / "passed").glob("new/*")])
    rows = []
    for item in items:
        events = histories[item.about]
        event = events.pop(0) if events else None
        done = [_effect(event)] if event else []
        identifier = _message_id(item.content)
        if identifier in delivered:
            done.append(f"delivered to {MAILBOX}")
        if identifier in passed:
            done.append("kept for people, in the Maildir `passed`")
        rows.append((item.number, item.way, item.what, *_meaning(event), "; ".join(done) or "LOST"))
    print()
    show.table(("", "way", "what came", "what it was", "why", "what was done"), rows)
    return all(row[-1] != "LOST" for row in rows)


async def _histories(daemon: Daemon, addresses: set[str]) -> dict[str, list[StoredEvent]]:
    """The events of each address, oldest first, read from the store."""
    async with await Store.open(f"sqlite+aiosqlite:///{daemon.state / 'bouncemilter.db'}") as store:
        return {each: list(reversed(await store.events_of(address.key(each)))) for each in addresses}


def _meaning(stored: StoredEvent | None) -> tuple[str, str]:
    if stored is None:
        return "mail", "a person wrote it"
    event = stored.event
    what = f"{event.kind}: {event.category}" if event.category else str(event.kind)
    return what, event.rule or event.format


def _effect(stored: StoredEvent) -> str:
    decision = stored.decision
    watched = f", watching {decision.watched}" if decision.watched else ""
    return f"{decision.effect}{watched} ({decision.reason})"


def _message_ids(contents: list[bytes]) -> set[str]:
    return {_message_id(each) for each in contents}


def _message_id(content: bytes) -> str:
    return str(email.message_from_bytes(content, policy=email.policy.compat32)["Message-ID"])


def suppressions(daemon: Daemon) -> None:
    """The list, by the command that an admin would use."""
    _command(daemon, "suppression", "list")
    _command(daemon, "suppression", "list", "--watched")


def why(daemon: Daemon, about: str) -> None:
    """The file of one address."""
    _command(daemon, "why", about)


def metrics(daemon: Daemon) -> None:
    """Some of what Prometheus scrapes."""
    say(f"\n$ curl http://127.0.0.1:{daemon.web_port}/metrics")
    for line in daemon.get("/metrics")[1].splitlines():
        names = ("bouncemilter_received_total", "bouncemilter_classified_total", "bouncemilter_suppressions_active")
        if line.startswith((*names, "bouncemilter_disposed_total")) and not line.endswith(" 0.0"):
            say(line)


def real_installation(seconds: float) -> None:
    """Where to go from here."""
    say(f"\nThat took {seconds:.0f} seconds, and nothing of it is left running.")
    say("What stays is .venv in this folder, and the Debian packages that setup has installed.")
    say("For a real installation (README, «Installation»):")
    say("  bouncemilter config reference > /etc/bouncemilter/bouncemilter.toml   # then say which return path is yours")
    say("  bouncemilter check-config")
    say("  bouncemilter config postfix                                           # the lines for main.cf and master.cf")
    say("  systemctl enable --now bouncemilter && bouncemilter doctor")


def _command(daemon: Daemon, *arguments: str) -> None:
    say(f"\n$ bouncemilter {' '.join(arguments)}")
    answer = daemon.cli(*arguments)
    say(answer.stdout.rstrip() or answer.stderr.rstrip())

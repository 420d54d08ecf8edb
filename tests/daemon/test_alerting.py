"""Alerts of a real host to a real SMTP server: sent, held back, tried again."""

from __future__ import annotations

import asyncio
import datetime as dt
import email
import email.policy
import json
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

import aiosmtpd.smtp
import pytest
from structlog.testing import capture_logs

from bouncemilter.alert.watch import AlertKind, AlertResult
from bouncemilter.daemon import alerting
from bouncemilter.daemon.alerting import ALERTS, Alerter
from bouncemilter.model import Category
from bouncemilter.settings import load
from bouncemilter.store import Store, StoreUnavailable
from tests.daemon.conftest import Host, Manager, running, until
from tests.rig import mail
from tests.statistics.mailing import NOON, failure, record, sent

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
ZEN = {"category": Category.BLOCKLISTED, "diagnostic": "blocked using zen.spamhaus.org", "template": "zen"}


class Postbox:
    """An SMTP server that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[tuple[str, list[str], EmailMessage]] = []
        self.reply = "250 OK"
        self.refused = ""
        """A mail with this in its subject is refused for good."""
        self.port = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.reply.startswith("250"):
            content = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(content, EmailMessage)
            if self.refused and self.refused in content["Subject"]:
                return "554 5.7.1 this looks like spam"
            self.got.append((envelope.mail_from, envelope.rcpt_tos, content))
        return self.reply

    def take(self) -> list[str]:
        """The subjects of what came since the last time, without our name."""
        found = [content["Subject"].partition("] ")[2] for _, _, content in self.got]
        self.got.clear()
        return found


@pytest.fixture
async def postbox() -> AsyncIterator[Postbox]:
    box = Postbox()
    server = await asyncio.get_running_loop().create_server(
        lambda: aiosmtpd.smtp.SMTP(box, loop=asyncio.get_running_loop(), enable_SMTPUTF8=True), "127.0.0.1", 0
    )
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()
    await server.wait_closed()


def table(port: int) -> str:
    return f'[alerts]\nmail_to = ["root@own.test"]\nsmtp = "127.0.0.1:{port}"\n'


class Desk:
    """An alerter with a clock, a store and a mail server."""

    def __init__(self, host: Host, store: Store, postbox: Postbox, more: str = 'digest = "never"') -> None:
        host.write(
            top='hostname = "mx.own.test"',
            more=f"{table(postbox.port)}disk_low_percent = 1\n{more}\n",
        )
        self.now = NOON
        self.store = store
        self.host = host
        self.restart()

    def restart(self) -> None:
        settings = load(self.host.config)
        self._alerter = Alerter(self.store, lambda: settings, list, lambda: self.now)

    async def look(self, after: dt.timedelta = MINUTE) -> None:
        self.now += after
        await self._alerter.look()


@pytest.fixture(autouse=True)
def no_figures_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's metrics are those of all tests before."""
    monkeypatch.setattr(alerting, "_samples", list)


@pytest.fixture
async def store(host: Host) -> AsyncIterator[Store]:
    async with await Store.open(f"sqlite+aiosqlite:///{host.state / 'bouncemilter.db'}", clock=lambda: NOON) as store:
        yield store


def count(kind: AlertKind, outcome: AlertResult) -> float:
    return ALERTS.labels(kind, outcome)._value.get()


async def test_blocklisted(host: Host, store: Store, postbox: Postbox) -> None:
    """A refusal for a blocklist is told at once, with the way off it, from the null sender; and once."""
    desk = Desk(host, store, postbox, more='digest = "never"\nlanguage = "pl"')
    await desk.look()
    assert postbox.got == []
    await record(store, failure("a@wp.pl", **ZEN))
    before = count(AlertKind.BLOCKLISTED, AlertResult.SENT)
    with capture_logs() as logged:
        await desk.look()
    ((sender, recipients, content),) = postbox.got
    assert (sender, recipients) == ("<>", ["root@own.test"])
    assert content["From"].addresses[0].addr_spec == "bouncemilter@mx.own.test"
    assert "https://check.spamhaus.org/" in content.get_content()
    assert postbox.take() == ["Twój serwer lub domena na czarnej liście"]
    assert count(AlertKind.BLOCKLISTED, AlertResult.SENT) == before + 1
    assert [each["event"] for each in logged] == ["alert_sent"]
    await desk.look()
    desk.restart()
    await desk.look(2 * HOUR)
    assert postbox.take() == []


async def test_name_with_letters(host: Host, store: Store, postbox: Postbox) -> None:
    """A domain with Polish letters is written as any mail server knows it, in envelope and header."""
    desk = Desk(host, store, postbox, more="digest_hour = 0")
    host.config.write_text(host.config.read_text().replace("root@own.test", "root@żółw.pl"))
    desk.restart()
    await desk.look()
    ((_, recipients, content),) = postbox.got
    assert recipients == [content["To"]] == ["root@xn--w-uga1v8h.pl"]


async def test_refused(host: Host, store: Store, postbox: Postbox) -> None:
    """What the mail server does not take is logged, counted and tried again, after a while."""
    desk = Desk(host, store, postbox)
    await record(store, failure("a@wp.pl", **ZEN))
    postbox.reply = "451 later"
    before = count(AlertKind.BLOCKLISTED, AlertResult.FAILED)
    with capture_logs() as logged:
        await desk.look()
        await desk.look(MINUTE / 2)
    assert [(each["event"], each["log_level"]) for each in logged] == [("alert_failed", "warning")]
    assert count(AlertKind.BLOCKLISTED, AlertResult.FAILED) == before + 1
    postbox.reply = "250 OK"
    await desk.look(MINUTE / 2)
    assert postbox.take() == ["your server or domain is on a blocklist"]


async def test_nobody_there(host: Host, store: Store, postbox: Postbox) -> None:
    """No mail server: nothing is raised, and once it is back the alert comes."""
    desk = Desk(host, store, postbox)
    await record(store, failure("a@wp.pl", **ZEN))
    host.config.write_text(host.config.read_text().replace(f":{postbox.port}", ":1"))
    desk.restart()
    await desk.look()
    host.config.write_text(host.config.read_text().replace('127.0.0.1:1"', f'127.0.0.1:{postbox.port}"'))
    desk.restart()
    await desk.look()
    assert len(postbox.take()) == 1


async def test_hung_server(host: Host, store: Store, postbox: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server that says nothing is given up after its time."""
    monkeypatch.setattr(alerting, "SMTP_SECONDS", 0.1)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    postbox.port = server.sockets[0].getsockname()[1]
    desk = Desk(host, store, postbox)
    await record(store, failure("a@wp.pl", **ZEN))
    async with asyncio.timeout(10):
        await desk.look()
    server.close()
    assert postbox.got == []


async def test_held(host: Host, store: Store, postbox: Postbox) -> None:
    """A second mail of a kind within an hour is held back, and comes when the hour is over."""
    desk = Desk(host, store, postbox)
    await record(store, failure("a@wp.pl", **ZEN))
    await desk.look()
    await record(store, failure("b@wp.pl", **(ZEN | {"diagnostic": "see spamcop", "template": "cop"})))
    before = count(AlertKind.BLOCKLISTED, AlertResult.HELD)
    await desk.look()
    await desk.look()
    assert count(AlertKind.BLOCKLISTED, AlertResult.HELD) == before + 1
    assert len(postbox.got) == 1
    await desk.look(HOUR)
    assert "SpamCop" in postbox.got[1][2].get_content()


async def test_store_down(host: Host, store: Store, postbox: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the store can't be used is told without the store; its return, too."""
    desk = Desk(host, store, postbox)

    async def gone(*_: Any) -> Any:
        raise StoreUnavailable("disk full")

    with monkeypatch.context() as down:
        down.setattr(alerting.stored, "look", gone)
        await desk.look()
        assert "disk full" in postbox.got[0][2].get_content()
    await desk.look()
    assert postbox.take() == ["the store can't be used", "the store is up again"]


async def test_unread(host: Host, store: Store, postbox: Postbox) -> None:
    """Mail of people in the Maildir is told."""
    (host.state / "passed" / "new").mkdir(parents=True)
    (host.state / "passed" / "new" / "1").write_text("")
    desk = Desk(host, store, postbox)
    await desk.look()
    assert postbox.take() == ["mail of people lies unread"]


async def test_digest(host: Host, store: Store, postbox: Postbox) -> None:
    """Once a day, after its hour in the zone, with the figures of the day before; not again after a restart; the next
    day again.
    """
    desk = Desk(host, store, postbox, more='digest_hour = 15\ntime_zone = "Europe/Warsaw"')
    yesterday = NOON - dt.timedelta(hours=16)
    await store.sent.record(sent(50, yesterday))
    await record(store, failure("a@wp.pl", at=yesterday), failure("b@wp.pl", Category.MAILBOX_FULL))
    await desk.look()
    assert postbox.got == []
    await desk.look(HOUR)
    body = postbox.got[0][2].get_content()
    assert "Yesterday (2026-10-19): came back: 1, hard: 1, soft: 0" in body
    assert "delivered: 98.00%" in body
    assert "user_unknown: 1 – There is no such mailbox." in body
    assert "mailbox_full" not in body
    assert postbox.take() == ["daily digest"]
    desk.restart()
    await desk.look(HOUR)
    assert postbox.take() == []
    await desk.look(23 * HOUR)
    assert "mailbox_full: 1" in postbox.got[0][2].get_content()
    assert postbox.take() == ["daily digest"]


@pytest.mark.parametrize("day", [dt.date(2026, 3, 28), dt.date(2026, 10, 24)])
async def test_digest_and_summer_time(day: dt.date, host: Host, store: Store, postbox: Postbox) -> None:
    """In the night to 29 March Warsaw has no hour from 2 to 3, in that to 25 October two: one digest all the same."""
    desk = Desk(host, store, postbox, more='digest_hour = 2\ntime_zone = "Europe/Warsaw"')
    desk.now = dt.datetime.combine(day - DAY, dt.time(20), dt.UTC)
    await desk.look()
    postbox.take()  # the digest of that day
    for _ in range(60):
        await desk.look(HOUR / 2)
        desk.restart()
    told = [content.get_content().split("Yesterday (")[1][:10] for _, _, content in postbox.got]
    assert told == [str(day - DAY), str(day)]


async def test_digest_that_can_not_be_counted(
    host: Host, store: Store, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the store does not answer that is logged, and asked again later and later, not each minute."""
    desk = Desk(host, store, postbox, more="digest_hour = 0")
    asked = 0

    async def slow(*_: Any, **__: Any) -> Any:
        nonlocal asked
        asked += 1
        raise TimeoutError

    with monkeypatch.context() as slowed, capture_logs() as logged:
        slowed.setattr(alerting.totals, "count", slow)
        for _ in range(30):
            await desk.look()
    assert asked == 5  # after 0, 1, 3, 7 and 15 minutes
    assert logged[0]["event"] == "alert_failed"
    assert "no answer" in logged[0]["error"]
    await desk.look(2 * MINUTE)
    assert postbox.take() == ["daily digest"]


async def test_one_that_is_refused(host: Host, store: Store, postbox: Postbox) -> None:
    """A mail that the server refuses for its content, each time, keeps no other back, nor the digest."""
    desk = Desk(host, store, postbox, more="digest_hour = 0")
    (host.state / "passed" / "new").mkdir(parents=True)
    (host.state / "passed" / "new" / "1").write_text("")
    await record(store, failure("a@wp.pl", **ZEN))
    postbox.refused = "blocklist"
    await desk.look()
    assert postbox.take() == ["mail of people lies unread", "daily digest"]
    postbox.refused = ""
    await desk.look()
    assert postbox.take() == ["your server or domain is on a blocklist"]


async def test_stopped_between_two(host: Host, store: Store, postbox: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent is on disk before the next one is: a stop between them tells nothing twice."""
    desk = Desk(host, store, postbox)
    (host.state / "passed" / "new").mkdir(parents=True)
    (host.state / "passed" / "new" / "1").write_text("")
    await record(store, failure("a@wp.pl", **ZEN))
    submit = alerting._submit

    async def hang(*given: Any) -> None:
        if postbox.got:
            await asyncio.sleep(60)
        await submit(*given)

    with monkeypatch.context() as hung:
        hung.setattr(alerting, "_submit", hang)
        look = asyncio.create_task(desk.look())
        await until((host.state / alerting.STATE_FILE).exists)
        look.cancel()
        await asyncio.gather(look, return_exceptions=True)
    (first,) = postbox.take()
    desk.restart()
    await desk.look()
    (second,) = postbox.take()
    assert {first, second} == {"your server or domain is on a blocklist", "mail of people lies unread"}


@pytest.mark.parametrize("kept", ["", "[]", "{}", '{"told": 1}', '{"told": [], "last": []}'])
def test_broken_memory(host: Host, kept: str) -> None:
    """A memory that was cut off by a full disk is begun anew."""
    (host.state / alerting.STATE_FILE).write_text(kept)
    assert alerting._load(host.state / alerting.STATE_FILE).told == set()


async def test_memory_that_can_not_be_written(host: Host, store: Store, postbox: Postbox) -> None:
    """What can't be written down is remembered all the same until the end."""
    desk = Desk(host, store, postbox)
    (host.state / alerting.STATE_FILE).mkdir()
    await record(store, failure("a@wp.pl", **ZEN))
    await desk.look()
    await desk.look(2 * HOUR)
    assert len(postbox.take()) == 1
    (host.state / alerting.STATE_FILE).rmdir()
    await desk.look()
    assert json.loads((host.state / alerting.STATE_FILE).read_text())["told"] == ["blocklists:Spamhaus"]


async def test_memory(host: Host, store: Store, postbox: Postbox) -> None:
    """What was told stands in a file that the owner alone can read."""
    desk = Desk(host, store, postbox)
    await record(store, failure("a@wp.pl", **ZEN))
    await desk.look()
    file = host.state / alerting.STATE_FILE
    assert json.loads(file.read_text())["told"] == ["blocklists:Spamhaus"]
    assert file.stat().st_mode & 0o777 == 0o600


async def test_no_loop(host: Host, manager: Manager, postbox: Postbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon's own mail, come back to itself, is passed on as people's mail is, and starts nothing."""
    monkeypatch.setattr(alerting, "LOOK_SECONDS", 0.05)
    host.write(more=table(postbox.port) + 'digest = "never"\ndisk_low_percent = 1\n')
    ours = "b+jan=klient.test@bounces.own.test"
    said = "554 5.7.1 blocked using zen.spamhaus.org <{}>"
    async with running(host, manager):
        assert await host.deliver(ours, mail.dsn(ours, "jan@klient.test", said)) == "250 2.0.0 OK"
        await until(lambda: postbox.got)
        alert = postbox.got[0][2].as_bytes().replace(b"\r\n", b"\n")
        assert b"Spamhaus" in alert
        events = await host.metric('bouncemilter_classified_total{front="sink",kind="bounce"}')
        assert await host.deliver(ours, alert) == "250 2.0.0 OK"
        assert await host.metric('bouncemilter_classified_total{front="sink",kind="bounce"}') == events
    assert len(list((host.state / "passed" / "new").iterdir())) == 1

"""Maildirs and folders of mails: what is read, what is left, what is moved and deleted."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path

import pytest

from bouncemilter.fronts.mailbox import After, Fault, MailboxError, MessageOutcome, SourceKind, files
from bouncemilter.fronts.mailbox.poll import PollOptions
from bouncemilter.model import Category, Effect, Front, Kind
from bouncemilter.policy import Preset, Rules
from tests.fronts.mailbox.conftest import Reader
from tests.pipeline.site import JAN, PLAIN, WATCHED, Ledger, verp
from tests.rig import mail

MAILDIR = SourceKind.MAILDIR
EML = SourceKind.EML
DAY = 86_400


def lay(folder: Path, name: str, content: bytes, days_ago: float = 0.0) -> Path:
    """Put a mail into a folder, delivered so long ago."""
    path = folder / name
    path.write_bytes(content)
    at = time.time() - days_ago * DAY
    os.utime(path, (at, at))
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


async def test_default(reader: Reader, maildir: Path) -> None:
    """Returns are recorded, what people wrote is not, and not a file is touched; the balances close."""
    lay(maildir / "new", "1.a.host", mail.dsn(verp(JAN), JAN))
    lay(maildir / "cur", "2.b.host:2,S", mail.letter(PLAIN))
    lay(maildir / "cur", "3.c.host:2,", mail.letter("nobody@own.test"))
    lay(maildir / "tmp", "4.d.host", mail.dsn(verp(JAN), JAN))
    ledger = Ledger(Front.MAILBOX)
    found = await reader.read(MAILDIR, maildir)
    assert found.outcomes == {
        MessageOutcome.RECOGNISED: 1,
        MessageOutcome.LEFT: 1,
        MessageOutcome.NOT_OURS: 1,
        MessageOutcome.TOO_OLD: 0,
    }
    assert found.kinds == {Kind.BOUNCE: 1, Kind.MAIL: 1}
    assert found.categories == {Category.USER_UNKNOWN: 1}
    assert found.complete
    assert names(maildir / "new") == {"1.a.host"}
    assert names(maildir / "cur") == {"2.b.host:2,S", "3.c.host:2,"}
    assert ledger.changed() == {
        "received": 2,
        "kind bounce": 1,
        "kind mail": 1,
        "disposition discard": 1,
        "disposition pass": 1,
    }
    assert [each.event.front for each in await reader.site.events(JAN)] == [Front.MAILBOX]


async def test_second_pass(reader: Reader, maildir: Path) -> None:
    """What was settled is not read again, under whatever flags a mail program has put it since."""
    lay(maildir / "new", "1.a.host", mail.dsn(verp(JAN), JAN))
    await reader.read(MAILDIR, maildir)
    (maildir / "new/1.a.host").rename(maildir / "cur/1.a.host:2,S")
    lay(maildir / "new", "2.b.host", mail.dsn(verp(JAN), JAN))
    found = await reader.read(MAILDIR, maildir)
    assert (found.seen_before, found.outcomes[MessageOutcome.RECOGNISED], found.outcomes[MessageOutcome.KNOWN]) == (
        1,
        1,
        0,
    )
    again = await reader.read(MAILDIR, maildir, PollOptions(again=True))
    assert (again.seen_before, again.outcomes[MessageOutcome.KNOWN]) == (0, 2)
    assert len(await reader.site.events(JAN)) == 2


@pytest.mark.parametrize("after", [After.MOVE, After.DELETE])
async def test_consumed(reader: Reader, maildir: Path, after: After) -> None:
    """What was recognised goes, also what an earlier pass has left there; people's mail stays."""
    lay(maildir / "new", "1.a.host", mail.dsn(verp(JAN), JAN))
    lay(maildir / "new", "2.b.host", mail.letter(PLAIN))
    await reader.read(MAILDIR, maildir)
    lay(maildir / "cur", "3.c.host:2,F", mail.dsn(verp(JAN), JAN))
    found = await reader.read(MAILDIR, maildir, after=after, move_to="Zwroty")
    assert (found.moved, found.deleted) == ((2, 0) if after is After.MOVE else (0, 2))
    assert names(maildir / "new") == {"2.b.host"}
    assert names(maildir / "cur") == set()
    if after is After.MOVE:
        assert names(maildir / ".Zwroty/cur") == {"1.a.host:2,", "3.c.host:2,F"}


async def test_moved_by_others(reader: Reader, maildir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail that a mail program marks or takes away between list and reading is found, or counted as vanished."""
    lay(maildir / "new", "1.a.host", mail.dsn(verp(JAN), JAN))
    lay(maildir / "new", "2.b.host", mail.dsn(verp(JAN), JAN))
    listed = files.FolderSource.items

    def items(source: files.FolderSource, beyond: str) -> object:
        found = list(listed(source, beyond))
        (maildir / "new/1.a.host").rename(maildir / "cur/1.a.host:2,S")
        (maildir / "new/2.b.host").unlink()
        return iter(found)

    monkeypatch.setattr(files.FolderSource, "items", items)
    found = await reader.read(MAILDIR, maildir, after=After.DELETE)
    assert (found.outcomes[MessageOutcome.RECOGNISED], found.outcomes[MessageOutcome.VANISHED], found.deleted) == (
        1,
        1,
        1,
    )


async def test_dry_run(reader: Reader, maildir: Path) -> None:
    """A dry run tells what is there; it stores, remembers and deletes nothing."""
    lay(maildir / "new", "1.a.host", mail.dsn(verp(JAN), JAN))
    lay(maildir / "new", "2.b.host", mail.letter(PLAIN))
    found = await reader.read(MAILDIR, maildir, PollOptions(dry_run=True), after=After.DELETE)
    assert (found.outcomes[MessageOutcome.RECOGNISED], found.outcomes[MessageOutcome.LEFT], found.deleted) == (1, 1, 0)
    assert await reader.site.events(JAN) == []
    found = await reader.read(MAILDIR, maildir)
    assert (found.seen_before, found.outcomes[MessageOutcome.RECOGNISED]) == (0, 1)


@pytest.mark.parametrize(("days", "effect"), [(31.9, Effect.COUNTED), (32.1, Effect.RECORDED), (4000, Effect.RECORDED)])
async def test_old_failures(reader: Reader, maildir: Path, days: float, effect: Effect) -> None:
    """A failure counts from the mailbox's date; one older than 32 days is recorded, never counted."""
    for name in ("1.a", "2.b"):
        lay(maildir / "new", name, mail.dsn(verp(JAN), JAN), days)
    await reader.read(MAILDIR, maildir)
    assert (await reader.site.effects(JAN))[0] is effect
    assert await reader.site.suppressed(JAN) is (effect is Effect.COUNTED)
    event = (await reader.site.events(JAN))[0].event
    assert abs((dt.datetime.now(dt.UTC) - event.at) / dt.timedelta(days=1) - days) < 0.1


async def test_future(reader: Reader, maildir: Path) -> None:
    """A date that lies ahead is now."""
    lay(maildir / "new", "1.a", mail.dsn(verp(JAN), JAN), days_ago=-900)
    await reader.read(MAILDIR, maildir)
    assert (await reader.site.events(JAN))[0].event.at <= dt.datetime.now(dt.UTC)


async def test_since_and_limit(reader: Reader, maildir: Path) -> None:
    """--since leaves older mails for later, --limit the newer ones; a pass without them gets what was left."""
    for number in range(4):
        lay(maildir / "new", f"{number}.a", mail.dsn(verp(JAN), JAN), days_ago=40 - 10 * number)
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=35)
    found = await reader.read(MAILDIR, maildir, PollOptions(since=since, limit=1))
    assert (found.outcomes[MessageOutcome.TOO_OLD], found.outcomes[MessageOutcome.RECOGNISED]) == (1, 1)
    found = await reader.read(MAILDIR, maildir)
    assert (found.seen_before, found.outcomes[MessageOutcome.RECOGNISED]) == (1, 3)


async def test_own_address(reader: Reader, maildir: Path) -> None:
    """With the mailbox's own address bounces without a trace of it are read; what isn't tied to our mail stays."""
    ours = mail.dsn("office@own.test", JAN)
    stranger = mail.dsn("office@own.test", "ewa@klient.test").replace(b"own.test", b"other.test")
    for name, content in (("1.a", ours), ("2.b", stranger), ("3.c", mail.letter("office@own.test"))):
        lay(maildir / "new", name, content)
    found = await reader.read(MAILDIR, maildir, address="office@own.test", after=After.DELETE)
    assert (
        found.outcomes[MessageOutcome.RECOGNISED],
        found.outcomes[MessageOutcome.UNTIED],
        found.outcomes[MessageOutcome.LEFT],
    ) == (1, 1, 1)
    assert names(maildir / "new") == {"2.b", "3.c"}


async def test_observe(reader: Reader, maildir: Path) -> None:
    """Under the preset observe everything passes, so nothing is deleted."""
    reader.site.configure(rules=Rules(preset=Preset.OBSERVE))
    lay(maildir / "new", "1.a", mail.dsn(verp(JAN), JAN))
    found = await reader.read(MAILDIR, maildir, after=After.DELETE)
    assert (found.outcomes[MessageOutcome.LEFT], found.deleted) == (1, 0)
    assert names(maildir / "new") == {"1.a"}


async def test_store_down(reader: Reader, maildir: Path) -> None:
    """While the store is down nothing is deleted or remembered; the next pass does it."""
    lay(maildir / "new", "1.a", mail.dsn(verp(JAN), JAN))
    store = reader.site.store
    await store.close()
    with pytest.raises(MailboxError) as caught:
        await reader.read(MAILDIR, maildir, after=After.DELETE)
    assert caught.value.fault is Fault.STORE
    assert names(maildir / "new") == {"1.a"}
    assert reader.polls[-1].summary.outcomes == {MessageOutcome.FAILED: 1, MessageOutcome.TOO_OLD: 0}


async def test_not_there(reader: Reader, tmp_path: Path) -> None:
    """A folder that is not there, or no Maildir, is an error that names it."""
    for kind, path in ((MAILDIR, tmp_path / "no"), (MAILDIR, tmp_path), (EML, tmp_path / "no")):
        with pytest.raises(MailboxError, match=str(path)) as caught:
            await reader.read(kind, path)
        assert caught.value.fault is Fault.SETTING


async def test_folder_of_mails(reader: Reader, tmp_path: Path) -> None:
    """Every file of a folder is read, those below it, too; the mail's own date counts, not that of saving."""
    folder = tmp_path / "mails"
    (folder / "old").mkdir(parents=True)
    received = b"Received: from mx.far.test by mx.own.test; Sat, 3 Jan 2026 10:00:00 +0100\n"
    lay(folder, "one.eml", received + mail.dsn(verp(JAN), JAN))
    lay(folder / "old", "two.eml", mail.dsn(verp(JAN), JAN))
    lay(folder, ".hidden", mail.dsn(verp(JAN), JAN))
    (folder / "circle").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    found = await reader.read(EML, folder)
    assert found.outcomes[MessageOutcome.RECOGNISED] == 2
    assert [each.event.at.isoformat() for each in await reader.site.events(JAN)] == [
        "2026-01-03T09:00:00+00:00",
        "2026-01-05T08:00:00+00:00",
    ]


async def test_folder_moved(reader: Reader, tmp_path: Path) -> None:
    """Mails of a folder are moved elsewhere, never over another file, and never within the folder itself."""
    folder, target = tmp_path / "mails", tmp_path / "done"
    folder.mkdir()
    target.mkdir()
    (target / "one.eml").write_text("another")
    lay(folder, "one.eml", mail.dsn(verp(JAN), JAN))
    lay(folder, "two.eml", mail.letter(WATCHED))
    found = await reader.read(EML, folder, after=After.MOVE, move_to=str(target))
    assert found.moved == 1
    assert names(folder) == {"two.eml"}
    assert names(target) == {"one.eml", "one.2.eml"}
    assert (target / "one.eml").read_text() == "another"
    with pytest.raises(MailboxError):
        await reader.read(EML, folder, after=After.MOVE, move_to=str(folder / "done"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100_000,
        bytes(range(256)) * 4000,
        b"Delivered-To: b+jan=klient.test@bounces.own.test\n" * 30_000,
        b"Delivered-To: " + b"(" * 50_000 + b"\nReceived: ;" + b"9" * 5000 + b"\nDate: 1 Jan 99999 99:99:99 +9999\n\n",
        b"Return-Path: <\x1b[31m\xff>\nTo: b@bounces.own.test\nReceived: x; Mon, 31 Feb 0000 00:00:00 +0000\n\n",
    ],
)
async def test_hostile(reader: Reader, maildir: Path, content: bytes) -> None:
    """Whatever lies there, the pass ends well, and nothing but returns is ever deleted."""
    lay(maildir / "new", "1.a", content)
    lay(maildir / "new", "2.b", mail.dsn(verp(JAN), JAN))
    found = await reader.read(MAILDIR, maildir, after=After.DELETE)
    assert found.complete
    assert found.outcomes[MessageOutcome.RECOGNISED] == 1
    assert names(maildir / "new") == {"1.a"}


async def test_huge(reader: Reader, maildir: Path) -> None:
    """Of a huge mail the beginning is read, and judged as cut."""
    lay(maildir / "new", "1.a", mail.dsn(verp(JAN), JAN) + b"x" * 3_000_000)
    found = await reader.read(MAILDIR, maildir)
    assert found.outcomes[MessageOutcome.RECOGNISED] == 1
    assert "truncated" in (await reader.site.events(JAN))[0].event.defects

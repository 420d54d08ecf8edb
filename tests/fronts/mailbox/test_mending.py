"""What does not go as it should in one place keeps nothing else from being read, and is made good later."""

from __future__ import annotations

import errno
import gzip
import os
import sys
from io import BytesIO
from pathlib import Path

import pytest

from bouncemilter.fronts.mailbox import After, Fault, MailboxError, MessageOutcome, SourceKind, poll
from bouncemilter.fronts.mailbox.files import FolderSource, kind_of
from bouncemilter.fronts.mailbox.poll import PollOptions
from bouncemilter.policy import Preset, Rules
from tests.fronts.mailbox.conftest import Reader
from tests.pipeline.site import ATTRIBUTION, JAN, Site, verp
from tests.rig import mail

MAILDIR = SourceKind.MAILDIR
EML = SourceKind.EML


def fill(maildir: Path, count: int) -> None:
    for number in range(count):
        (maildir / "new" / f"{number}.a").write_bytes(mail.dsn(verp(JAN), JAN))


async def refused(reader: Reader, maildir: Path, **options: object) -> tuple[MailboxError, dict[str, int]]:
    """A pass that ends with an error; the error and the counts."""
    with pytest.raises(MailboxError) as caught:
        await reader.read(MAILDIR, maildir, **options)
    summary = reader.polls[-1].summary
    return caught.value, {"moved": summary.moved, **{outcome.value: n for outcome, n in summary.outcomes.items() if n}}


async def test_target_refuses(reader: Reader, maildir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that can't be moved keeps nothing from being read and moved; the error is told, the next pass tries."""
    monkeypatch.setattr(poll, "BATCH", 2)
    fill(maildir, 5)
    move = FolderSource._move

    def full(self: FolderSource, path: Path) -> None:
        if path.name == "0.a":
            raise OSError(errno.ENOSPC, "No space left on device")
        move(self, path)

    with monkeypatch.context() as patched:
        patched.setattr(FolderSource, "_move", full)
        error, counts = await refused(reader, maildir, after=After.MOVE, move_to="Zwroty")
    assert (error.fault, counts) == (Fault.DISK, {"moved": 4, "recognised": 5})
    assert "0.a: No space left" in str(error)
    assert len(await reader.site.events(JAN)) == 5
    found = await reader.read(MAILDIR, maildir, after=After.MOVE, move_to="Zwroty")
    assert (found.moved, found.outcomes[MessageOutcome.KNOWN], found.read) == (1, 1, 1)


async def test_unreadable_file(reader: Reader, maildir: Path) -> None:
    """A file that can't be read is named, and tried again; those behind it are read all the same."""
    fill(maildir, 2)
    (maildir / "new" / "00.bad").symlink_to("/proc/self/mem")  # a regular file whose first octet is an error
    for _ in range(2):
        error, counts = await refused(reader, maildir)
        assert str(maildir / "new" / "00.bad") in str(error)
        assert counts["failed"] == 1
    assert len(await reader.site.events(JAN)) == 2
    (maildir / "new" / "00.bad").unlink()
    assert (await reader.read(MAILDIR, maildir)).complete


async def test_closed_folder(reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder within a folder that nobody may look into is named; the others are read."""
    (tmp_path / "mails" / "closed").mkdir(parents=True)
    (tmp_path / "mails" / "a.eml").write_bytes(mail.dsn(verp(JAN), JAN))
    monkeypatch.setattr(os, "access", lambda path, _: not str(path).endswith("closed"))  # root may look everywhere
    with pytest.raises(MailboxError, match="closed"):
        await reader.read(EML, tmp_path / "mails")
    assert reader.polls[-1].summary.outcomes[MessageOutcome.RECOGNISED] == 1


async def test_links_to_nowhere(reader: Reader, maildir: Path) -> None:
    """Links that lead to nothing, in a circle too, and pipes are no mails."""
    fill(maildir, 1)
    (maildir / "new" / "circle").symlink_to("circle")
    (maildir / "new" / "nowhere").symlink_to("/nowhere")
    os.mkfifo(maildir / "new" / "pipe")
    found = await reader.read(MAILDIR, maildir)
    assert (found.read, found.outcomes[MessageOutcome.RECOGNISED], found.complete) == (1, 1, True)


async def test_other_file_system(reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails are moved to another file system, too; never over another file."""
    (tmp_path / "mails").mkdir()
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "a.eml").write_bytes(b"another's")
    content = mail.dsn(verp(JAN), JAN)
    (tmp_path / "mails" / "a.eml").write_bytes(content)

    def link(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", link)
    found = await reader.read(EML, tmp_path / "mails", after=After.MOVE, move_to=str(tmp_path / "done"))
    assert found.moved == 1
    assert list((tmp_path / "mails").iterdir()) == []
    assert (tmp_path / "done" / "a.eml").read_bytes() == b"another's"
    assert (tmp_path / "done" / "a.2.eml").read_bytes() == content


async def test_compressed(reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compressed mailbox is refused with the way to read it: else it would be one mail to nobody."""
    packed = gzip.compress(b"From a Mon Jan  5 09:00:00 2026\n" + mail.dsn(verp(JAN), JAN))
    (tmp_path / "old.gz").write_bytes(packed)
    with pytest.raises(MailboxError, match="zcat FILE"):
        kind_of(str(tmp_path / "old.gz"))
    with pytest.raises(MailboxError, match="zcat FILE"):
        await reader.read(SourceKind.MBOX, tmp_path / "old.gz")
    monkeypatch.setattr(sys, "stdin", type("Input", (), {"buffer": BytesIO(packed)}))
    with pytest.raises(MailboxError, match="compressed"):
        await reader.read(SourceKind.MBOX, "-")


async def test_address_given_later(reader: Reader, maildir: Path) -> None:
    """Who says later whose mailbox it is has it read once more; nothing counts twice."""
    (maildir / "new" / "1.a").write_bytes(mail.dsn("office@own.test", JAN))
    fill(maildir, 1)
    first = await reader.read(MAILDIR, maildir)
    assert (first.outcomes[MessageOutcome.NOT_OURS], first.outcomes[MessageOutcome.RECOGNISED]) == (1, 1)
    second = await reader.read(MAILDIR, maildir, address="office@own.test")
    assert (second.outcomes[MessageOutcome.RECOGNISED], second.outcomes[MessageOutcome.KNOWN]) == (1, 1)
    third = await reader.read(MAILDIR, maildir, address="office@own.test")
    assert (third.seen_before, third.read) == (2, 0)


async def test_preset_changed_later(reader: Reader, maildir: Path) -> None:
    """What `observe` has left is moved once the preset says that it may be consumed."""
    fill(maildir, 1)
    reader.site.configure(rules=Rules(preset=Preset.OBSERVE))
    options = {"after": After.MOVE, "move_to": "Zwroty"}
    assert (await reader.read(MAILDIR, maildir, **options)).outcomes[MessageOutcome.LEFT] == 1
    reader.site.configure(rules=Rules(preset=Preset.STANDARD))
    assert (await reader.read(MAILDIR, maildir, **options)).moved == 1


async def test_dry_run_remembers_nothing(reader: Reader, maildir: Path) -> None:
    """A dry run with another address leaves what is remembered as it was."""
    fill(maildir, 1)
    await reader.read(MAILDIR, maildir)
    await reader.read(MAILDIR, maildir, PollOptions(dry_run=True), address="office@own.test")
    assert (await reader.read(MAILDIR, maildir)).seen_before == 1


def test_what_is_taken(reader: Reader) -> None:
    """What decides over consuming differs by return path, watched address and preset, and not by anything else."""
    takes = reader.site.pipeline.takes
    assert takes == Site(reader.site.store).pipeline.takes
    assert "b+@bounces.own.test" in takes
    assert "news@own.test" in takes
    reader.site.configure(rules=Rules(preset=Preset.OBSERVE))
    assert reader.site.pipeline.takes != takes
    assert ATTRIBUTION.recognizer.names == takes[: len(ATTRIBUTION.recognizer.names)]

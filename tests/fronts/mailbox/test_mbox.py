"""mbox files: where messages begin and end, and their dates."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bouncemilter.fronts.mailbox import After, Fault, MailboxError, MailboxOptions, MessageOutcome, SourceKind, files
from tests.fronts.mailbox.conftest import Reader
from tests.pipeline.site import JAN, PLAIN, verp
from tests.rig import mail

MBOX = SourceKind.MBOX
FROM = b"From MAILER-DAEMON Mon Jan  5 09:00:00 2026\n"


@pytest.fixture
def mbox(tmp_path: Path) -> Path:
    """Two bounces, and a message between them that quotes a `From ` line."""
    path = tmp_path / "mbox"
    message = mail.letter(PLAIN) + b"\n>From jan: tak\n\n>>From ewa: nie\n"
    path.write_bytes(
        b"\n".join(
            FROM + each
            for each in (mail.dsn(verp(JAN), JAN), message, mail.dsn(verp(JAN), JAN).replace(b"\n", b"\r\n"))
        )
    )
    return path


def content_of(path: Path) -> bytes:
    return path.read_bytes()


def replace_first(path: Path, content: bytes) -> None:
    """Take the first message out, and append one."""
    rest = path.read_bytes().split(FROM, 2)[2]
    path.write_bytes(FROM + rest + b"\n" + FROM + content)


async def test_read(reader: Reader, mbox: Path) -> None:
    """Each message is read once, with the date of its `From ` line; the file stays as it is."""
    before = content_of(mbox)
    found = await reader.read(MBOX, mbox)
    assert (found.listed, found.outcomes[MessageOutcome.RECOGNISED], found.outcomes[MessageOutcome.LEFT]) == (3, 2, 1)
    assert {each.event.at.isoformat() for each in await reader.site.events(JAN)} == {"2026-01-05T09:00:00+00:00"}
    assert content_of(mbox) == before


async def test_grows(reader: Reader, mbox: Path) -> None:
    """Only what was appended is read next time, also after the first messages were taken out."""
    await reader.read(MBOX, mbox)
    replace_first(mbox, mail.dsn(verp(JAN), JAN))
    found = await reader.read(MBOX, mbox)
    assert (found.seen_before, found.outcomes[MessageOutcome.RECOGNISED]) == (2, 1)


async def test_unquoted(mbox: Path) -> None:
    """`>From ` at the head of a line is unquoted by one; where a message ends, its bytes end."""
    source = files.MboxSource(MailboxOptions("x", MBOX, path=str(mbox)))
    source.open()
    messages = source.read(list(source.items("")))
    source.close()
    assert messages[1] is not None
    assert b"\nFrom jan: tak\n\n>From ewa: nie\n" in messages[1].head
    assert messages[0] is not None
    assert messages[0].head.startswith(b"From: Mail Delivery System")


async def test_only_read(reader: Reader, mbox: Path) -> None:
    """Nothing is ever moved or deleted in an mbox."""
    with pytest.raises(MailboxError, match="only read"):
        await reader.read(MBOX, mbox, after=After.DELETE)


async def test_locked(reader: Reader, mbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program writes to it, it is not read: a message might be half there."""
    monkeypatch.setattr(files, "_LOCK_SECONDS", 0.1)
    with held(mbox), pytest.raises(MailboxError) as caught:
        await reader.read(MBOX, mbox)
    assert caught.value.fault is Fault.BUSY
    assert (await reader.read(MBOX, mbox)).complete


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """The file, locked by another process: POSIX locks keep out no others."""
    hold = "import fcntl, sys; file = open(sys.argv[1], 'r+b'); fcntl.lockf(file, fcntl.LOCK_EX)"
    command = [sys.executable, "-ISc", f"{hold}; print(flush=True); sys.stdin.read()", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield
        assert other.stdin is not None
        other.stdin.close()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"From ",
        b"From x\n" * 5000,
        b"From x\n\n" * 300,
        b"no mbox at all\n\nFrom here on\n",
        b"From x\n" + b"y" * 1_000_000,
        b"From x Xxx Yyy 99 99:99:99 9999\n\n\0",
        b"\n\n\nFrom x\r\n\r\n\r\nFrom y\r\n",
    ],
)
async def test_hostile(reader: Reader, tmp_path: Path, content: bytes) -> None:
    """Whatever the file holds, every octet belongs to a message or none, and the pass ends."""
    path = tmp_path / "mbox"
    path.write_bytes(content)
    found = await reader.read(MBOX, path)
    assert found.complete
    assert found.outcomes[MessageOutcome.RECOGNISED] == 0


def test_kinds(tmp_path: Path, mbox: Path, maildir: Path) -> None:
    """What lies at a path is told by its form."""
    single = tmp_path / "one.eml"
    single.write_bytes(mail.letter(PLAIN))
    assert [files.kind_of(str(each)) for each in (mbox, maildir, single, tmp_path)] == [
        SourceKind.MBOX,
        SourceKind.MAILDIR,
        SourceKind.EML,
        SourceKind.EML,
    ]
    assert files.kind_of("-") is SourceKind.MBOX
    with pytest.raises(MailboxError):
        files.kind_of(str(tmp_path / "none"))

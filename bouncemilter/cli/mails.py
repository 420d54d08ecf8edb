"""Mails lying about: files, mbox files, Maildirs, folders of them, and standard input; one at a time."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from bouncemilter import limits, outlook
from bouncemilter.report import attached
from bouncemilter.report.message import Message


class Mail(NamedTuple):
    """One mail: where it was found, its first limits.KEPT_BYTES octets, and whether it has more."""

    source: str
    """Its path; from the second mail of an mbox on with `#` and its number."""
    raw: bytes
    truncated: bool


Failed = Callable[[str, OSError], None]
"""Hears of what cannot be read: where it lies, and why."""

_LINE = 64 * 1024
"""Octets read at once: a file without line ends is read in pieces."""


def read(paths: Iterable[str], failed: Failed, *, inside: bool = False) -> Iterator[Mail]:
    """The mails of files and folders in order, `-` being standard input; `failed` hears of what cannot be read.

    `inside`: instead of each mail those that are attached to it; one without is told to `failed`.
    """
    for mail in _read(paths, failed):
        if not inside:
            yield mail
            continue
        number = 0
        for number, found in enumerate(_attached(mail), 1):
            source = f"{mail.source}:{number}"
            if found.fault:
                failed(source, OSError(errno.EINVAL, found.fault))
            else:
                yield Mail(source, found.raw, found.truncated)
        if not number:
            failed(mail.source, OSError(errno.ENODATA, "no mail is attached"))


def _attached(mail: Mail) -> Iterator[attached.Attached]:
    try:
        yield from attached.mails(Message(mail.raw, truncated=mail.truncated))
    except Exception:  # noqa: BLE001  (the reader gives up on it, too: there is nothing to be had)
        return


def _read(paths: Iterable[str], failed: Failed) -> Iterator[Mail]:
    for path in paths:
        if path == "-":
            yield from _mails("-", sys.stdin.buffer, failed)
            continue
        for file in _files(Path(path), path, failed):
            try:
                with file.open("rb") as stream:
                    yield from _mails(str(file), stream, failed)
            except OSError as error:
                failed(str(file), error)


def _files(path: Path, written: str, failed: Failed) -> Iterator[Path]:
    """The files of a folder and its folders, sorted; of a Maildir those in `new` and `cur` (https://cr.yp.to/proto/maildir.html)."""
    if not path.is_dir():
        yield path
        return
    try:
        entries = sorted(path.iterdir())
    except OSError as error:
        failed(written, error)
        return
    is_maildir = (path / "cur").is_dir() and (path / "new").is_dir()
    for entry in entries:
        if entry.is_dir():
            # Links to folders may lead in circles; `tmp` holds mails that are still being written.
            if not entry.is_symlink() and not (is_maildir and entry.name == "tmp"):
                yield from _files(entry, str(entry), failed)
        elif entry.is_file() and not is_maildir and not entry.name.startswith("."):
            yield entry


def _mails(source: str, stream: BinaryIO, failed: Failed) -> Iterator[Mail]:
    """The one mail, of RFC 5322 or Outlook's, or the mails of an mbox (RFC 4155)."""
    first = stream.readline(_LINE)
    if first.startswith(outlook.MAGIC):
        try:
            raw = outlook.to_rfc822(first + stream.read(outlook.FILE_BYTES))
        except outlook.OutlookError as error:
            failed(source, OSError(errno.EINVAL, f"no Outlook message that can be read: {error}"))
        else:
            yield Mail(source, raw[: limits.KEPT_BYTES], len(raw) > limits.KEPT_BYTES)
        return
    if not first.startswith(b"From "):
        raw = first + stream.read(limits.KEPT_BYTES + 1)
        yield Mail(source, raw[: limits.KEPT_BYTES], len(raw) > limits.KEPT_BYTES)
        return
    for number, (raw, truncated) in enumerate(_mbox(stream), 1):
        yield Mail(source if number == 1 else f"{source}#{number}", raw, truncated)


def _mbox(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """The mails of an mbox whose first `From ` line has been read, with `>From ` unquoted."""
    kept: list[bytes] = []
    size = 0
    after_empty = line_begins = True
    while line := stream.readline(_LINE):
        if line_begins and after_empty and line.startswith(b"From "):
            yield b"".join(kept)[: limits.KEPT_BYTES], size > limits.KEPT_BYTES
            kept, size = [], 0
            continue
        if size <= limits.KEPT_BYTES:
            kept.append(line[1:] if line_begins and line.lstrip(b">").startswith(b"From ") else line)
        size += len(line)
        after_empty = line in (b"\n", b"\r\n")
        line_begins = line.endswith(b"\n")
    yield b"".join(kept)[: limits.KEPT_BYTES], size > limits.KEPT_BYTES

"""Mails lying about: files, mbox files, Maildirs, folders of them, and standard input; one at a time."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from bouncemilter import limits
from bouncemilter.report.message import Message
from bouncemilter.report.mime import Part


class Mail(NamedTuple):
    """One mail: where it was found, its first limits.KEPT_BYTES octets, and whether it has more."""

    source: str
    """Its path; from the second mail of an mbox on with `#` and its number."""
    raw: bytes
    truncated: bool


def attached(mail: Mail) -> Iterator[Mail]:
    """The mails that are attached to one: forwarded as attachment, or files named `.eml`. Not those within them."""
    try:
        parts = Message(mail.raw, truncated=mail.truncated).parts
    except Exception:  # noqa: BLE001  (the reader gives up on it, too: there is nothing to be had)
        return
    number = 0
    for part in parts:
        if part.is_message or _is_eml(part):
            number += 1
            raw = part.content(limits.KEPT_BYTES)
            yield Mail(f"{mail.source}:{number}", raw[: limits.KEPT_BYTES], mail.truncated)


def _is_eml(part: Part) -> bool:
    named = (part.parameter(b"name"), part.headers.raw(b"content-disposition").rstrip(b'"'))
    return any(each.lower().endswith(b".eml") for each in named)


_LINE = 64 * 1024
"""Octets read at once: a file without line ends is read in pieces."""


def read(paths: Iterable[str], failed: Callable[[str, OSError], None], *, inside: bool = False) -> Iterator[Mail]:
    """The mails of files and folders in order, `-` being standard input; `failed` hears of what cannot be read.

    `inside`: instead of each mail those that are attached to it; one without is told to `failed`.
    """
    for mail in _read(paths, failed):
        if not inside:
            yield mail
            continue
        found = list(attached(mail))
        yield from found
        if not found:
            failed(mail.source, OSError(errno.ENODATA, "no mail is attached"))


def _read(paths: Iterable[str], failed: Callable[[str, OSError], None]) -> Iterator[Mail]:
    for path in paths:
        if path == "-":
            yield from _mails("-", sys.stdin.buffer)
            continue
        for file in _files(Path(path), path, failed):
            try:
                with file.open("rb") as stream:
                    yield from _mails(str(file), stream)
            except OSError as error:
                failed(str(file), error)


def _files(path: Path, written: str, failed: Callable[[str, OSError], None]) -> Iterator[Path]:
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


def _mails(source: str, stream: BinaryIO) -> Iterator[Mail]:
    """The one mail, or the mails of an mbox (RFC 4155)."""
    first = stream.readline(_LINE)
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

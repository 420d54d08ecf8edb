"""Mailboxes that are files: a Maildir, an mbox, a folder of mails, and what comes on standard input."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import fcntl
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from bouncemilter import limits, outlook
from bouncemilter.fronts.mailbox.fault import Fault, MailboxError
from bouncemilter.fronts.mailbox.options import After, MailboxOptions, SourceKind
from bouncemilter.fronts.mailbox.source import MessageRef, StoredMessage
from bouncemilter.report import moment

_LINE: Final = 64 * 1024
"""Octets read at once: a file without line ends is read in pieces."""
_NAMED: Final = 16 * 1024
"""Octets of a message's beginning that may name it."""
_LOCK_SECONDS: Final = 10.0
"""To wait for whoever writes to an mbox just now."""
_FOLDERS: Final = ("new", "cur")
_PACKED: Final = {b"\x1f\x8b": "zcat", b"BZh": "bzcat", b"\xfd7zXZ": "xzcat", b"\x28\xb5\x2f\xfd": "zstdcat"}
"""How compressed files begin, and what unpacks them."""


def kind_of(path: str) -> SourceKind:
    """What lies at a path. MailboxError where nothing does."""
    if path == "-":
        return SourceKind.MBOX
    found = Path(path)
    with _reading(path):
        if stat.S_ISDIR(found.stat().st_mode):
            is_maildir = all((found / name).is_dir() for name in _FOLDERS)
            return SourceKind.MAILDIR if is_maildir else SourceKind.EML
        with found.open("rb") as stream:
            begin = stream.read(5)
    _refuse_packed(begin, path)
    return SourceKind.MBOX if begin == b"From " else SourceKind.EML


class FolderSource:
    """A Maildir, or a folder with a mail in each file; or one such file."""

    def __init__(self, options: MailboxOptions) -> None:
        self._options = options
        self._root = Path(options.path)
        self._is_maildir = options.kind is SourceKind.MAILDIR
        self._target = self._root / f".{options.move_to}" if self._is_maildir else Path(options.move_to)

    def open(self) -> str:
        """Look whether it is there."""
        with _reading(self._options.path):
            mode = self._root.stat().st_mode
        if self._is_maildir and not all((self._root / name).is_dir() for name in _FOLDERS):
            raise MailboxError(Fault.SETTING, f"{self._root}: no Maildir (it has no folders cur and new)")
        if self._options.after is After.MOVE and not self._is_maildir:
            if not stat.S_ISDIR(mode):
                raise MailboxError(Fault.SETTING, f"{self._root}: only a folder's mails can be moved")
            if self._target.resolve().is_relative_to(self._root.resolve()):
                raise MailboxError(Fault.SETTING, f"{self._target}: lies within {self._root}; give another folder")
        if self._options.after is After.MOVE:
            self._make_target()
        return ""

    def items(self, beyond: str) -> Iterator[MessageRef]:  # noqa: ARG002  (file names have no order)
        """All messages, oldest first."""
        with _reading(self._options.path):
            found = [self._item(at, path) for at, path in sorted(self._files())]
        yield from found

    def read(self, items: Sequence[MessageRef]) -> list[StoredMessage | MailboxError | None]:
        """Their first octets; what one file fails by keeps nobody from the others."""
        return [self._message(item) for item in items]

    def consume(self, items: Sequence[MessageRef]) -> int:
        """Move or delete the files."""
        done = 0
        for item in items:
            path = self._found(item)
            if path is None:
                continue
            try:
                if self._options.after is After.DELETE:
                    path.unlink()
                else:
                    self._move(path)
            except OSError as error:
                raise MailboxError(Fault.DISK, f"{error.filename2 or path}: {error.strerror}") from None
            done += 1
        return done

    def close(self) -> None:
        """Nothing is held."""

    def abort(self) -> None:
        """Nothing is held."""

    def _item(self, at: float, path: Path) -> MessageRef:
        # A file that somebody has saved has the date of saving: the mail's own headers know better.
        if self._is_maildir:
            return MessageRef(path.name.partition(":")[0], str(path), moment.of_file(at))
        return MessageRef(f"{path} {at}", str(path))

    def _files(self) -> Iterator[tuple[float, Path]]:
        roots = [self._root / name for name in _FOLDERS] if self._is_maildir else [self._root]
        while roots:
            root = roots.pop()
            if not root.is_dir():
                yield root.stat().st_mtime, root
                continue
            with os.scandir(root) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    # Links to folders may lead in circles; pipes and devices never end.
                    if entry.is_dir(follow_symlinks=False) and not self._is_maildir:
                        if os.access(entry.path, os.R_OK | os.X_OK):
                            roots.append(Path(entry.path))
                        else:  # reading it as a mail will tell
                            yield 0.0, Path(entry.path)
                        continue
                    with contextlib.suppress(OSError):  # gone, or a link to nowhere
                        status = entry.stat()
                        if stat.S_ISREG(status.st_mode):
                            yield status.st_mtime, Path(entry.path)

    def _found(self, item: MessageRef) -> Path | None:
        """Where a message lies now: a mail program may have read it, which changes its name and folder."""
        path = Path(str(item.handle))
        if path.exists():
            return path
        if self._is_maildir:
            for name in _FOLDERS:
                with contextlib.suppress(OSError), os.scandir(self._root / name) as entries:
                    for entry in entries:
                        if entry.name.partition(":")[0] == item.key:
                            return Path(entry.path)
        return None

    def _message(self, item: MessageRef) -> StoredMessage | MailboxError | None:
        path = self._found(item)
        if path is None:
            if not self._root.exists():
                raise MailboxError(Fault.BROKEN_OFF, f"{self._root}: it has vanished")
            return None
        try:
            with path.open("rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                head = stream.read(limits.KEPT_BYTES)
                if head.startswith(outlook.MAGIC):
                    return _rebuilt(head + stream.read(outlook.FILE_BYTES), str(path), item.at)
        except FileNotFoundError:
            return None
        except OSError as error:
            fault = Fault.LOGIN if isinstance(error, PermissionError) else Fault.DISK
            return MailboxError(fault, f"{path}: {error.strerror}")
        return StoredMessage(head, max(size, len(head)), item.at)

    def _make_target(self) -> None:
        try:
            if not self._is_maildir:
                self._target.mkdir(parents=True, exist_ok=True)
                return
            for name in ("tmp", *_FOLDERS):
                (self._target / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._target / "maildirfolder").touch(mode=0o600)  # Maildir++
        except OSError as error:
            raise MailboxError(Fault.DISK, f"{self._target}: {error.strerror}") from None

    def _move(self, path: Path) -> None:
        if self._is_maildir:
            path.rename(self._target / "cur" / (path.name if ":" in path.name else f"{path.name}:2,"))
            return
        target = self._target / path.name
        number = 1
        while True:
            try:
                _laid(path, target)  # unlike a rename, never over another file
            except FileExistsError:
                number += 1
                target = self._target / f"{path.stem}.{number}{path.suffix}"
            else:
                path.unlink()
                return


class MboxSource:
    """An mbox file, or one on standard input. It is only ever read."""

    def __init__(self, options: MailboxOptions) -> None:
        self._options = options
        self._path = options.path
        self._stream: BinaryIO | None = None
        self._size = 0

    def open(self) -> str:
        """Open it, and see how far it goes while nobody writes to it."""
        if self._options.after is not After.LEAVE:
            raise MailboxError(Fault.SETTING, f"{self._path}: an mbox is only read; nothing is moved or deleted in it")
        with _reading(self._path):
            self._stream = _spooled() if self._path == "-" else Path(self._path).open("rb")  # noqa: SIM115
            if not stat.S_ISREG(os.fstat(self._stream.fileno()).st_mode):
                raise MailboxError(Fault.SETTING, f"{self._path}: not a file")
            _refuse_packed(self._stream.read(5), self._path)
            self._stream.seek(0)
            self._size = _settled_size(self._stream, self._path)
        return ""

    def items(self, beyond: str) -> Iterator[MessageRef]:  # noqa: ARG002  (the whole file is searched)
        """All messages in the order of the file."""
        with _reading(self._path):
            for offset, line in self._begins():
                yield MessageRef(self._key(offset), offset, moment.of_from_line(line))

    def read(self, items: Sequence[MessageRef]) -> list[StoredMessage | None]:
        """Their first octets, `>From ` unquoted."""
        with _reading(self._path):
            return [self._message(item) for item in items]

    def consume(self, items: Sequence[MessageRef]) -> int:
        """Never called: `open` refuses."""
        raise MailboxError(Fault.SETTING, f"{self._path}: an mbox is only read ({len(items)} messages)")

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def abort(self) -> None:
        """Left to `close`: another thread may be reading."""

    @property
    def _file(self) -> BinaryIO:
        if self._stream is None:
            raise MailboxError(Fault.BROKEN_OFF, f"{self._path}: closed")
        return self._stream

    def _begins(self) -> Iterator[tuple[int, bytes]]:
        """Where each message begins, and its `From ` line."""
        file = self._file
        offset = 0
        line_begins = after_empty = True
        while offset < self._size:
            file.seek(offset)
            found = None
            # Reading goes on from where the last yield left, since others seek in between.
            while offset < self._size and (line := file.readline(_LINE)):
                here, offset = offset, offset + len(line)
                begins = line_begins and after_empty and line.startswith(b"From ")
                after_empty = line_begins and line in (b"\n", b"\r\n")
                line_begins = line.endswith(b"\n")
                if begins or here == 0:
                    found = here, line
                    break
            if found is None:
                return
            yield found

    def _key(self, offset: int) -> str:
        """A message's name is a hash of its `From ` line and headers: offsets change when others are taken out."""
        self._file.seek(offset)
        found = self._file.read(_NAMED).replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        return hashlib.blake2b(found, digest_size=16).hexdigest()

    def _message(self, item: MessageRef) -> StoredMessage | None:
        file, offset = self._file, int(item.handle)
        file.seek(offset)
        first = file.readline(_LINE)
        if self._key(offset) != item.key:
            return None  # rewritten meanwhile
        file.seek(offset + len(first) if first.startswith(b"From ") else offset)
        kept = bytearray()
        size = 0
        line_begins, after_empty = True, False
        while file.tell() < self._size and (line := file.readline(_LINE)):
            if line_begins and after_empty and line.startswith(b"From "):
                break
            after_empty = line_begins and line in (b"\n", b"\r\n")
            if line_begins and line.startswith(b">") and line.lstrip(b">").startswith(b"From "):
                line = line[1:]
            line_begins = line.endswith(b"\n")
            size += len(line)
            if len(kept) < limits.KEPT_BYTES:
                kept += line[: limits.KEPT_BYTES - len(kept)]
        return StoredMessage(bytes(kept), size, item.at)


def _rebuilt(raw: bytes, name: str, at: dt.datetime | None) -> StoredMessage | MailboxError:
    """The message of an Outlook file, or why there is none."""
    try:
        found = outlook.to_rfc822(raw)
    except outlook.OutlookError as error:
        return MailboxError(Fault.DATA, f"{name}: no Outlook message that can be read: {error}")
    return StoredMessage(found[: limits.KEPT_BYTES], len(found), at)


def _refuse_packed(begin: bytes, path: str) -> None:
    """Raise MailboxError for a file that begins as compressed ones do."""
    for magic, program in _PACKED.items():
        if begin.startswith(magic):
            text = f"{path}: compressed; unpack it first, or an mbox thus: {program} FILE | bouncemilter ingest -"
            raise MailboxError(Fault.SETTING, text)


def _laid(path: Path, target: Path) -> None:
    """Give a file a second name, on another file system a copy. FileExistsError where the name is taken."""
    try:
        os.link(path, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    else:
        return
    with target.open("xb") as copy:
        try:
            with path.open("rb") as original:
                shutil.copyfileobj(original, copy)
            copy.flush()
            os.fsync(copy.fileno())
        except BaseException:
            target.unlink()
            raise
    shutil.copystat(path, target)
    _settle_folder(target.parent)


def _settle_folder(folder: Path) -> None:
    """A new file is in its folder for good only when that is on disk, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _spooled() -> BinaryIO:
    """Standard input as a file that can be read twice; an Outlook message as the message that it holds."""
    found = tempfile.TemporaryFile()  # noqa: SIM115  (closed by the source)
    shutil.copyfileobj(sys.stdin.buffer, found)
    found.seek(0)
    if found.read(len(outlook.MAGIC)) == outlook.MAGIC:
        found.seek(0)
        message = _rebuilt(found.read(outlook.FILE_BYTES + 1), "-", None)
        if isinstance(message, MailboxError):
            found.close()
            raise message
        found.seek(0)
        found.truncate()
        found.write(message.head)
    found.seek(0)
    return found


def _settled_size(stream: BinaryIO, path: str) -> int:
    """The size of an mbox while no one writes to it: no message is cut in two."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.lockf(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            if time.monotonic() > deadline:
                raise MailboxError(Fault.BUSY, f"{path}: locked by another program") from None
            time.sleep(0.2)
        else:
            try:
                return os.fstat(stream.fileno()).st_size
            finally:
                fcntl.lockf(stream, fcntl.LOCK_UN)


@contextlib.contextmanager
def _reading(path: str) -> Iterator[None]:
    try:
        yield
    except PermissionError:
        raise MailboxError(Fault.LOGIN, f"{path}: user {os.geteuid()} may not read it") from None
    except (FileNotFoundError, NotADirectoryError):
        raise MailboxError(Fault.SETTING, f"{path}: no such file or folder") from None
    except OSError as error:
        raise MailboxError(Fault.DISK, f"{path}: {error.strerror}") from None

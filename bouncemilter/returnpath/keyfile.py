"""Key files: the live keys of one return path, a line each.

    # The newest key signs, both verify. Keep this file secret.
    # id created secret
    1 2026-11-22T08:00:00Z 6f1c…
    0 2026-09-01T08:00:00Z 93ab…

The id is 0 to 15, `created` a time with its zone, the secret 64 hexadecimal digits (`openssl rand -hex 32`). Empty
lines and those that begin with `#` say nothing.

Only its owner may read a key file. A systemd credential (systemd.exec(5)) may belong to root and be readable by a
group: systemd lets nobody else in. No error shows anything of a secret.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bouncemilter.returnpath.keys import IDS, LIVE, SECRET_OCTETS, Key, KeyRing
from bouncemilter.returnpath.token import LIFE

_HEAD: Final = "# The newest key signs, both verify. Keep this file secret.\n# id created secret\n"
_SECRET: Final = re.compile(rf"(?i)[0-9a-f]{{{2 * SECRET_OCTETS}}}\Z")
_LARGEST: Final = 64 * 1024
"""Octets of a key file; two keys have 200."""
_CREDENTIALS: Final = "/run/credentials"
"""Where systemd shows a service its credentials, and others nothing."""


class KeyFileError(Exception):
    """A key file can't be used; the text names the file, and the line where one is wrong."""


class KeyStillNeededError(KeyFileError):
    """The key that would be dropped has tokens on their way back."""


def load(path: Path) -> KeyRing:
    """The keys in the file at `path`. Raises KeyFileError."""
    return _parsed(_text(path), path)


def create(path: Path, now: dt.datetime) -> KeyRing:
    """Make a key file with one new key; a file that is there already is left alone. Raises KeyFileError."""
    key = Key(0, now.astimezone(dt.UTC).replace(microsecond=0), secrets.token_bytes(SECRET_OCTETS))
    try:
        with _opened(path.parent, os.O_DIRECTORY) as folder:
            holder = os.fstat(folder)
            with _written(folder, path.name, f"{_HEAD}{_line(key)}\n", (holder.st_uid, holder.st_gid)) as new:
                os.link(
                    new, path.name, src_dir_fd=folder, dst_dir_fd=folder
                )  # unlike a rename, never over another file
    except OSError as error:
        raise _failure(path, error) from None
    return KeyRing([key])


def rotate(path: Path, now: dt.datetime, *, life: dt.timedelta = LIFE, force: bool = False) -> KeyRing:
    """Add a new key, which signs from now on; the one that signed until now stays, the one before it goes.

    `life` is that of the tokens. Raises KeyFileError; unless `force`, KeyStillNeededError where tokens of the key that
    goes are still good.
    """
    try:
        target = path.resolve()  # a symbolic link stays one
        with _opened(target.parent, os.O_DIRECTORY) as folder:
            fcntl.flock(folder, fcntl.LOCK_EX)  # of two rotations at a time, each sees the other's key
            owner = target.stat()
            text = _text(path)
            ring = _parsed(text, path)
            created = now.astimezone(dt.UTC).replace(microsecond=0)
            if created <= ring.signing.created:
                raise KeyFileError(f"{path}: key {ring.signing.id} is not older than now ({_time(created)})")
            if len(ring.keys) == LIVE and not force:
                _refuse_early(ring, created, life, path)
            key = Key((ring.signing.id + 1) % IDS, created, secrets.token_bytes(SECRET_OCTETS))
            new_text = _rotated(text, ring.signing.id, key)
            rotated = _parsed(new_text, path)
            with _written(folder, target.name, new_text, (owner.st_uid, owner.st_gid)) as new:
                os.rename(new, target.name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        raise _failure(path, error) from None
    return rotated


def _refuse_early(ring: KeyRing, now: dt.datetime, life: dt.timedelta, path: Path) -> None:
    """A key's last token was minted when the next key came; it is good for its day and `life`."""
    until = ring.signing.created + life + dt.timedelta(days=1)
    if now < until:
        raise KeyStillNeededError(
            f"{path}: key {ring.keys[-1].id} signed until {_time(ring.signing.created)}: its tokens are good until "
            f"{_time(until)}, and bounces to them would no longer be believed"
        )


def _rotated(text: str, kept: int, new: Key) -> str:
    """The text with the new key before the kept one, the others gone, and all comments where they were."""
    lines = []
    for line in text.splitlines():
        if _is_key(line) and int(line.split()[0]) != kept:
            continue
        lines += [_line(new), line] if _is_key(line) else [line]
    return "\n".join(lines) + "\n"


def _parsed(text: str, path: Path) -> KeyRing:
    keys = [_key(line, f"{path}:{number}") for number, line in enumerate(text.splitlines(), 1) if _is_key(line)]
    try:
        return KeyRing(keys)
    except ValueError as error:
        raise KeyFileError(f"{path}: {error}") from None


def _is_key(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _key(line: str, place: str) -> Key:
    """The key of a line. Whatever is wrong, no error quotes the line: part of it may be the secret."""
    words = line.split()
    if len(words) != 3:
        raise KeyFileError(f"{place}: a key has three words (id, created, secret), not {len(words)}")
    number, created, secret = words
    if not (number.isascii() and number.isdigit() and len(number) <= 2 and int(number) < IDS):
        raise KeyFileError(f"{place}: the first word is the key's id, 0 to {IDS - 1}")
    if not _SECRET.match(secret):
        raise KeyFileError(f"{place}: the third word is the secret, {2 * SECRET_OCTETS} hexadecimal digits")
    try:
        return Key(int(number), dt.datetime.fromisoformat(created), bytes.fromhex(secret))
    except ValueError:
        raise KeyFileError(f"{place}: the second word is a time with its zone, such as 2026-11-22T08:00:00Z") from None


def _line(key: Key) -> str:
    return f"{key.id} {_time(key.created)} {key.secret.hex()}"


def _time(time: dt.datetime) -> str:
    return f"{time.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _text(path: Path) -> str:
    """The content of a key file, once nobody else can read it."""
    try:
        with _opened(path, os.O_NONBLOCK) as file:  # a FIFO in its place would keep us waiting
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise KeyFileError(f"{path}: not a file")
            _refuse_loose(path, stat.S_IMODE(status.st_mode))
            raw = os.read(file, _LARGEST + 1)
    except OSError as error:
        raise _failure(path, error) from None
    if len(raw) > _LARGEST:
        raise KeyFileError(f"{path}: too large for a key file")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise KeyFileError(f"{path}: not a text") from None


def _refuse_loose(path: Path, mode: int) -> None:
    credential = is_credential(path)
    if mode & (0o037 if credential else 0o077):
        others = "others" if credential else "its group or others"
        raise KeyFileError(f"{path}: {others} can read or write it (mode {mode:04o}): chmod 600")


def is_credential(path: Path) -> bool:
    """Whether the file lies where systemd puts the credentials of services; links are followed first."""
    folders = [Path(each).resolve() for each in (os.environ.get("CREDENTIALS_DIRECTORY"), _CREDENTIALS) if each]
    return any(path.resolve().is_relative_to(folder) for folder in folders)


@contextlib.contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _written(folder: int, name: str, text: str, owner: tuple[int, int]) -> Iterator[str]:
    """A new file beside `name`, on disk and of `owner`, to be put in place within; what is left of it is removed.

    As root it gets the owner: whom the folder, or the former file, belongs to is who reads it. Then the folder is
    synced.
    """
    new = f".{name}.{secrets.token_hex(4)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(new, flags, 0o600, dir_fd=folder), "wb") as file:
        try:
            if os.geteuid() == 0:
                os.fchown(file.fileno(), *owner)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
            yield new
            os.fsync(folder)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(new, dir_fd=folder)


def _failure(path: Path, error: OSError) -> KeyFileError:
    return KeyFileError(f"{path}: {error.strerror or 'cannot be used'}")

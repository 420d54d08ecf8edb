"""Do our sockets exist, do they accept, and may Postfix's user use them?"""

from __future__ import annotations

import asyncio
import grp
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bouncemilter.doctor.check import Context, Finding, fail, ok, warn
from bouncemilter.endpoint import Endpoint

SECONDS: Final = 5.0
"""For connecting; on this host it takes none."""


@dataclass(frozen=True, slots=True)
class SocketAccepts:
    """Somebody answers where the daemon should listen."""

    name: str
    address: str
    """`unix:/absolute/path` or `inet:HOST:PORT`."""

    async def run(self, _context: Context) -> Finding:
        """Connect, and leave at once."""
        try:
            async with asyncio.timeout(SECONDS):
                _, writer = await Endpoint.parse(self.address).open()
        except (FileNotFoundError, ConnectionRefusedError):
            return fail(f"nobody listens at {self.address}", "systemctl status bouncemilter; bouncemilter check-config")
        except PermissionError:
            return fail(f"may not connect to {self.address}", "Run doctor as root.")
        writer.close()
        return ok(f"{self.address} accepts connections")


@dataclass(frozen=True, slots=True)
class SocketPermissions:
    """Postfix's user may connect to a unix socket, and nobody else may replace it."""

    name: str
    path: Path
    owner: str
    """Postfix's `mail_owner`; empty where there is no Postfix."""

    async def run(self, _context: Context) -> Finding:
        """Look at the modes from the root folder down to the socket."""
        if not self.path.is_socket():
            return fail(f"{self.path} is no socket", "systemctl status bouncemilter")
        loose = world_writable(self.path)
        if loose is not None:
            return warn(f"{loose} is writable for everybody", f"chmod o-w {loose}")
        if not self.owner:
            return ok(f"{self.path} is not writable for everybody")
        closed = await asyncio.to_thread(barrier, self.path, self.owner)
        if closed is not None:
            group = "group postfix, mode 2750 for the folder and 0660 for the socket: see systemd/bouncemilter.tmpfiles"
            return fail(f"user {self.owner} cannot pass {closed} ({ownership(closed)})", group)
        return ok(f"user {self.owner} may connect to {self.path}")


def barrier(path: Path, user: str) -> Path | None:
    """The first folder that `user` may not search on the way to `path`, or `path` if it may not be written to.

    Postfix's services keep only the user's own group and drop all others. Raises OSError where there is no such user.
    """
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise OSError(f"there is no user {user}") from None
    ids = (account.pw_uid, account.pw_gid)
    closed = (folder for folder in reversed(path.parents) if not _allows(folder, ids, stat.S_IXOTH))
    return next(closed, None if _allows(path, ids, stat.S_IWOTH) else path)


def world_writable(path: Path) -> Path | None:
    """The socket, or the folder around it, if any user may write there (Sendmail refuses such a socket as unsafe)."""
    for each in (path, path.parent):
        mode = each.stat().st_mode
        if mode & stat.S_IWOTH and not (each.is_dir() and mode & stat.S_ISVTX):
            return each
    return None


def ownership(path: Path) -> str:
    """`user:group 0750` of a file; numbers where there is no name."""
    found = path.stat()
    try:
        owner = f"{pwd.getpwuid(found.st_uid).pw_name}:{grp.getgrgid(found.st_gid).gr_name}"
    except KeyError:
        owner = f"{found.st_uid}:{found.st_gid}"
    return f"{owner} {stat.S_IMODE(found.st_mode):04o}"


def _allows(path: Path, ids: tuple[int, int], bit: int) -> bool:
    """Whether the mode of `path` gives `bit` (one of the S_I?OTH) to (uid, gid). Root is no special case here."""
    found = path.stat()
    if found.st_uid == ids[0]:
        bit <<= 6
    elif found.st_gid == ids[1]:
        bit <<= 3
    return bool(found.st_mode & bit)

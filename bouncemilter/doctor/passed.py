"""Does mail of people lie where nobody reads it?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bouncemilter.doctor.check import Context, Finding, ok, warn


@dataclass(frozen=True, slots=True)
class PassedMaildir:
    """The Maildir of passed mail is empty."""

    path: Path
    name: str = "passed mail"

    async def run(self, _context: Context) -> Finding:
        """Count the messages in new and cur."""
        count = await asyncio.to_thread(messages, self.path)
        if count:
            remedy = "Read them (for example: mutt -f), and set sink.forward_to, so that the next ones reach somebody."
            return warn(f"{count} mails lie in {self.path}", remedy)
        return ok(f"no mail lies in {self.path}")


def messages(maildir: Path) -> int:
    """How many messages a Maildir holds; 0 where there is none. Raises PermissionError where it may not be read."""
    return sum(1 for part in ("new", "cur") if _is_folder(maildir / part) for _ in (maildir / part).iterdir())


def _is_folder(path: Path) -> bool:
    """`Path.is_dir`, but what may not be looked at is an error instead of nothing."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return path.is_dir()

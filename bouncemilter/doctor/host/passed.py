"""Does mail of people lie where nobody reads it?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bouncemilter.doctor.check import Context, Finding, ok, warn
from bouncemilter.health import host


@dataclass(frozen=True, slots=True)
class PassedMaildir:
    """The Maildir of passed mail is empty."""

    path: Path
    name: str = "passed mail"

    async def run(self, _context: Context) -> Finding:
        """Count the messages in new and cur."""
        count = await asyncio.to_thread(host.messages, self.path)
        if count:
            remedy = "Read them (for example: mutt -f), and set sink.forward_to, so that the next ones reach somebody."
            return warn(f"{count} mails lie in {self.path}", remedy)
        return ok(f"no mail lies in {self.path}")

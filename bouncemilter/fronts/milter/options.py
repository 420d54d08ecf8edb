"""What the milter front is told by the daemon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bouncemilter import limits
from bouncemilter.returnpath import Ownership

_WATCHED: Final = frozenset({Ownership.WATCHED})
_WITH_RETURN_PATHS: Final = _WATCHED | {Ownership.RETURN_PATH}


@dataclass(frozen=True, slots=True)
class MilterOptions:
    """Plain values; the defaults suit a Postfix on the same host."""

    socket: str
    """`unix:/absolute/path` or `inet:HOST:PORT`. Over TCP every message that is read costs some 40 ms more."""
    socket_mode: int = 0o660
    """Permissions of the unix socket: the MTA writes to it, nobody else."""
    return_paths: bool = True
    """Whether mail to return paths is taken; False where it is routed to the sink."""
    process_timeout: float = 20.0
    """Seconds for one message from its end to its commit; then TEMPFAIL. Postfix itself waits for 300."""
    idle_timeout: int = 600
    """Seconds without a packet after which a session is dropped. Postfix waits 300 s for its own clients, and for so
    long a kept session is rightly silent."""
    messages: int = limits.CONNECTIONS
    """Messages of ours that are held in memory at once; see `admission`."""

    @property
    def taken(self) -> frozenset[Ownership]:
        """Which recipients of ours this front takes."""
        return _WITH_RETURN_PATHS if self.return_paths else _WATCHED

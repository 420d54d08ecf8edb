"""What can go wrong with a mailbox as a whole."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """Why a mailbox could not be read, or not to its end."""

    SETTING = "setting"
    """What was asked for can't be: no such folder or path, a way that the server does not offer."""
    LOGIN = "login"
    """The server refuses the user or the password; or a file may not be read."""
    UNREACHABLE = "unreachable"
    """No connection, or none that is safe (TLS)."""
    BROKEN_OFF = "broken_off"
    """It was gone in the midst of it: what was settled is remembered, the next pass goes on from there."""
    BUSY = "busy"
    """Somebody else reads it just now."""
    DISK = "disk"
    """A file of ours or of the mailbox can't be read or written."""
    DATA = "data"
    """What was handed over is nothing that can be read."""
    STORE = "store"
    """The store takes nothing just now."""


class MailboxError(Exception):
    """A mailbox can't be read on; the text names the place and the reason, without any secret."""

    def __init__(self, fault: Fault, text: str) -> None:
        super().__init__(text)
        self.fault = fault

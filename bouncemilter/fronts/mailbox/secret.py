"""Passwords and access tokens of mailboxes: read when they are needed, shown nowhere."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from bouncemilter.fronts.mailbox.fault import Fault, MailboxError
from bouncemilter.returnpath import keyfile

_CONTROLS: Final = re.compile(r"[\0-\x1f\x7f]")
"""What neither protocol can say, and what ends its lines."""
_LARGEST: Final = 64 * 1024
"""Octets of a secret's file; access tokens have 2,000."""


class Credential(NamedTuple):
    """What a login is proved by. Never to be logged."""

    text: str
    is_token: bool
    """An OAuth 2.0 access token (RFC 6750), by SASL XOAUTH2; else a password."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a password or token is found; the first that is given counts."""

    held: str = field(default="", repr=False)
    """The secret itself, where somebody typed it or it was read before."""
    held_is_token: bool = False
    token_file: str = ""
    """Read before each login: another program keeps it fresh."""
    password_file: str = ""
    """Its first line. A systemd credential is one, too."""
    password_env: str = ""
    """The name of an environment variable."""

    def read(self) -> Credential:
        """The secret. Raises MailboxError, whose text shows nothing of it."""
        if self.held:
            return Credential(self.held, is_token=self.held_is_token)
        if self.token_file:
            return Credential(_first_line(Path(self.token_file)), is_token=True)
        if self.password_file:
            return Credential(_first_line(Path(self.password_file)), is_token=False)
        if self.password_env:
            found = os.environ.get(self.password_env, "").rstrip("\r\n")
            if not found:
                raise MailboxError(Fault.SETTING, f"the environment variable {self.password_env} is empty")
            if _CONTROLS.search(found):
                raise MailboxError(Fault.SETTING, f"the environment variable {self.password_env} holds several lines")
            return Credential(found, is_token=False)
        raise MailboxError(Fault.SETTING, "no password: give a password file, an environment variable or a token file")


def _first_line(path: Path) -> str:
    """The first line of a file that nobody else can read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO would keep us waiting
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise MailboxError(Fault.SETTING, f"{path}: not a file")
            if status.st_mode & (0o037 if keyfile.is_credential(path) else 0o077):
                raise MailboxError(Fault.SETTING, f"{path}: others can read or write it: chmod 600")
            raw = os.read(descriptor, _LARGEST)
        finally:
            os.close(descriptor)
    except OSError as error:
        fault = Fault.LOGIN if isinstance(error, PermissionError) else Fault.SETTING
        raise MailboxError(fault, f"{path}: {error.strerror}") from None
    try:
        found = raw.partition(b"\n")[0].rstrip(b"\r").decode("utf-8")
    except UnicodeDecodeError:
        raise MailboxError(Fault.SETTING, f"{path}: not a text") from None
    if not found or _CONTROLS.search(found):
        raise MailboxError(Fault.SETTING, f"{path}: its first line is empty, or no password")
    return found

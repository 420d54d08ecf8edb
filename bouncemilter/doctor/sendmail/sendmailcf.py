"""What Sendmail says of itself: its sendmail.cf, and what the program makes of addresses (`sendmail -bv`, `-bt`)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from bouncemilter.doctor.command import Run

FOLDER: Final = "/etc/mail"

_EQUATE = re.compile(r"\s*(\w)\s*=\s*(.*?)\s*(?=,\s*\w\s*=|,?\s*\Z)", re.DOTALL)
_DELIVERABLE = re.compile(r"deliverable: mailer (?P<mailer>[^,\s]+)(?:, host (?P<host>[^,\s]+))?")


class Way(NamedTuple):
    """Where mail for an address goes."""

    mailer: str
    """Empty where Sendmail has no way for it."""
    host: str


@dataclass(frozen=True, slots=True)
class Facts:
    """A sendmail.cf, as far as the doctor looks at it. Each mapping is name → its equates by their letters."""

    folder: str
    """Of sendmail.cf and submit.cf."""
    mailers: Mapping[str, Mapping[str, str]]
    """The lines M: `P`, `F`, `A` and so on."""
    filters: Mapping[str, Mapping[str, str]]
    """The lines X, milters: `S` (socket), `F` (what if it is away), `T` (time-outs)."""
    input_filters: tuple[str, ...]
    """The filters that every listener asks, in this order."""
    listeners: Mapping[str, tuple[str, ...]]
    """Name of a listener → the filters that it asks."""

    async def way(self, run: Run, address: str) -> Way:
        """Where mail to `address` goes, aliases followed."""
        found = _DELIVERABLE.search((await run((*self.command(), "-bv", "--", address), b"")).out)
        return Way(found["mailer"], found["host"] or "") if found else Way("", "")

    async def refuses(self, run: Run, recipient: str) -> bool:
        """Whether port 25 refuses a recipient, whoever sends."""
        said = await run((*self.command(), "-bt"), f"check_rcpt <{recipient}>\n".encode())
        returned = re.findall(r"check_rcpt +returns: (.*)", said.out)
        return bool(returned) and returned[-1].startswith(("$# error", "$#error"))

    def command(self) -> tuple[str, ...]:
        """Sendmail as the server is."""
        return ("sendmail", *self._file("sendmail.cf"))

    def submission(self) -> tuple[str, ...]:
        """Sendmail as programs call it."""
        return ("sendmail", *self._file("submit.cf"))

    def _file(self, name: str) -> tuple[str, ...]:
        return () if self.folder == FOLDER else ("-C", f"{self.folder}/{name}")


async def read(folder: str = "") -> Facts | None:
    """What sendmail.cf says; None where there is none. Raises PermissionError."""
    folder = folder or FOLDER
    try:
        text = await asyncio.to_thread(Path(folder, "sendmail.cf").read_text, encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    return parse(text, folder)


def parse(text: str, folder: str = FOLDER) -> Facts:
    """The lines of a sendmail.cf that matter; a line that begins with white space goes on with the one before it."""
    lines = re.sub(r"\n[ \t]+", " ", text).splitlines()
    options = [found.groups() for each in lines if (found := re.match(r"O\s+(\w+)\s*=\s*(.*)", each))]
    inputs = [value for name, value in options if name == "InputMailFilters"]
    common = _names(inputs[-1]) if inputs else ()
    listeners = {}
    for value in (value for name, value in options if name == "DaemonPortOptions"):
        given = dict(each.strip().partition("=")[::2] for each in value.split(","))
        own = given.get("InputMailFilters")
        listeners[given.get("Name", "")] = common if own is None else _names(own)
    return Facts(folder, _defined(lines, "M"), _defined(lines, "X"), common, listeners)


def _defined(lines: list[str], letter: str) -> dict[str, dict[str, str]]:
    found = (each[1:].partition(",") for each in lines if each.startswith(letter))
    return {name.strip(): dict(_EQUATE.findall(rest)) for name, _, rest in found}


def _names(value: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in re.split(r"[,;]", value) if each.strip())

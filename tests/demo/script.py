"""What the demo sends: script.toml and the mails beside it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Item:
    """One mail of the demo."""

    number: int
    """From 1, in the order of sending."""
    what: str
    """What it is, in words."""
    way: str
    """`sink`, `milter` or `mailing`."""
    about: str
    """The address whose history shows what became of it."""
    sender: str
    """The envelope sender: people have one, reports have none."""
    content: bytes
    """With LF; of a `mailing`, the mail that will bounce."""

    @property
    def recipient(self) -> str:
        """The envelope recipient, which the To header names too."""
        if self.way == "milter":
            return "newsletter@own.test"
        return f"b+{self.about.replace('@', '=')}@bounces.own.test"


def load() -> list[Item]:
    """All of them."""
    entries = tomllib.loads((FOLDER / "script.toml").read_text())["mail"]
    return [_item(number, entry) for number, entry in enumerate(entries, 1)]


def _item(number: int, entry: dict[str, str]) -> Item:
    content = (FOLDER / "mails" / entry["file"]).read_bytes() if "file" in entry else _mailing(entry["about"])
    return Item(number, entry["what"], entry["way"], entry["about"], entry.get("sender", ""), content)


def _mailing(recipient: str) -> bytes:
    return (
        f"From: Sklep ogrodniczy <news@own.test>\nTo: {recipient}\nSubject: Nowosci stycznia\n"
        f"Message-ID: <2026-01.16@own.test>\nList-ID: <nowosci.own.test>\n\nDzien dobry.\n"
    ).encode()

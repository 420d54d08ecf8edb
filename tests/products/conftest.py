"""A desk: a home whose return path is signed, and a mailbox that is read into its store."""

from __future__ import annotations

import datetime as dt
import email.utils
import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from bouncemilter.cli import main
from tests.cli.conftest import Home
from tests.rig import mail

_numbers = itertools.count(1)


class Desk(Home):
    """A home that gets its returns by `ingest`."""

    signed = False

    def sign(self) -> None:
        """Sign the return path from now on."""
        key = self.folder / "b.key"
        assert CliRunner().invoke(main, ["returnpath", "keygen", str(key)]).exit_code == 0
        line = 'prefix = "b"\n'
        self.config.write_text(self.config.read_text().replace(line, f'{line}key_file = "{key}"\n'))
        self.signed = True

    def path(self, address: str) -> str:
        """The return path of a mail to `address` that is sent today."""
        if not self.signed:
            return f"b+{address.replace('@', '=')}@bounces.own.test"
        return self.run("returnpath", "sign", address).stdout.strip()

    def comes(self, address: str, said: str = mail.UNKNOWN, *, days_ago: Sequence[float] = (0,)) -> None:
        """Mails to `address` come back, each so many days ago."""
        path = self.path(address)
        self.read(*((mail.dsn(path, address, said), days) for days in days_ago))

    def read(self, *messages: tuple[bytes, float]) -> None:
        """Read messages, each of which came so many days ago."""
        folder = self.folder / f"mails{next(_numbers)}"
        folder.mkdir()
        for number, (message, days) in enumerate(messages):
            at = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
            path = folder / f"{number}.eml"
            path.write_bytes(f"Received: by mail.own.test; {email.utils.format_datetime(at)}\n".encode() + message)
            os.utime(path, (at.timestamp(), at.timestamp()))
        done = self.run("ingest", str(folder))
        assert done.exit_code == 0, done.output

    def state_of(self, address: str) -> str:
        """`suppressed`, how far it is watched, or nothing."""
        if self.run("suppression", "check", address).exit_code == 0:
            return "suppressed"
        watched = self.objects("suppression", "list", "--state", "watching")
        return "".join(each["watched"] for each in watched if each["address_key"] == address)

    def mailing(self, name: str, content: str) -> Path:
        """A mailing list."""
        path = self.folder / name
        path.write_text(content)
        return path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)

"""Passwords and tokens: where they are read, what is refused, and that no error shows them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bouncemilter.fronts.mailbox import MailboxError, MailboxOptions, Secret, SourceKind


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_bytes("żółw \r\nmore\n".encode())
    path.chmod(0o600)
    return path


def test_sources(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first line of a file, whole, without its line end; an environment variable; a token."""
    assert Secret(password_file=str(file)).read() == ("żółw ", False)
    assert Secret(token_file=str(file)).read() == ("żółw ", True)
    monkeypatch.setenv("MAILBOX_SECRET", "from there")
    assert Secret(password_env="MAILBOX_SECRET").read() == ("from there", False)


def test_line_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line end behind a variable's password is dropped; one within it would end a command, and is refused."""
    monkeypatch.setenv("MAILBOX_SECRET", "from there\r\n")
    assert Secret(password_env="MAILBOX_SECRET").read() == ("from there", False)
    monkeypatch.setenv("MAILBOX_SECRET", "from\nthere")
    with pytest.raises(MailboxError, match="MAILBOX_SECRET holds") as caught:
        Secret(password_env="MAILBOX_SECRET").read()
    assert "there" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o602, 0o660])
def test_loose(file: Path, mode: int) -> None:
    """A file that others can read or write is refused, by name and without its content."""
    file.chmod(mode)
    with pytest.raises(MailboxError, match=str(file)) as caught:
        Secret(password_file=str(file)).read()
    assert "żółw" not in str(caught.value)


def test_credential(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A systemd credential may be readable by a group."""
    file.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    assert Secret(password_file=str(file)).read().text == "żółw "


@pytest.mark.parametrize("content", [b"", b"\nsecond line\n", b"\xff\xfe\n", b"a\0b\n"])
def test_no_password(file: Path, content: bytes) -> None:
    """An empty line or what is no text is no password."""
    file.write_bytes(content)
    with pytest.raises(MailboxError, match=str(file)):
        Secret(password_file=str(file)).read()


def test_not_there(tmp_path: Path) -> None:
    """A missing file, a pipe, an empty variable or nothing at all is an error that says so."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for secret in (
        Secret(),
        Secret(password_file=str(tmp_path / "none")),
        Secret(password_file=str(tmp_path / "pipe")),
        Secret(password_env="BOUNCEMILTER_NO_SUCH_VARIABLE"),
    ):
        with pytest.raises(MailboxError):
            secret.read()


def test_never_shown() -> None:
    """A password stands in no representation, and in no name of the place."""
    options = MailboxOptions("x", SourceKind.IMAP, host="mail.example.com", user="jan", secret=Secret(held="sesame"))
    assert "sesame" not in repr(options) + options.place + options.identity

"""`ingest`: sources, tables, JSON, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bouncemilter.cli import ingest
from bouncemilter.cli.exits import Exit
from tests.cli.conftest import Home
from tests.outlook.writing import msg
from tests.pipeline.site import JAN, PLAIN, verp
from tests.rig import mail


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    """Two bounces and a message."""
    for name in ("cur", "new", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    for name, content in (
        ("1.a", mail.dsn(verp(JAN), JAN)),
        ("2.b", mail.dsn(verp(JAN), JAN)),
        ("3.c", mail.letter(PLAIN, subject="\x1b[31mpytanie")),
    ):
        (tmp_path / "Maildir/new" / name).write_bytes(content)
    return tmp_path / "Maildir"


def names(maildir: Path) -> list[str]:
    return sorted(path.name for path in maildir.rglob("*") if path.is_file())


def test_table(home: Home, maildir: Path) -> None:
    """The table at the end says what was there and what became of it; nothing in the mailbox has changed."""
    done = home.run("ingest", str(maildir))
    assert done.exit_code == 0
    rows = {line.rsplit(None, 1)[0].strip(): line.split()[-1] for line in done.stdout.splitlines() if line.strip()}
    assert rows["returns of yours, now on disk"] == "2"
    assert rows["user_unknown"] == "2"
    assert rows["mail"] == "1"
    assert rows["addresses suppressed"] == "1"
    assert names(maildir) == ["1.a", "2.b", "3.c"]
    assert home.run("suppression", "check", JAN).exit_code == 0


def test_json(home: Home, maildir: Path, tmp_path: Path) -> None:
    """One object a mailbox, with every outcome; the second run has nothing to do."""
    single = tmp_path / "one.eml"
    single.write_bytes(mail.dsn(verp("ewa@klient.test"), "ewa@klient.test"))
    first, other = home.objects("ingest", str(maildir), str(single))
    assert (first["recognised"], first["left"], first["kinds"]) == (2, 1, {"bounce": 2, "mail": 1})
    assert (other["mailbox"], other["recognised"], other["complete"], other["error"]) == (str(single), 1, True, "")
    (second,) = home.objects("ingest", str(maildir))
    assert (second["listed"], second["seen_before"], second["read"]) == (3, 3, 0)


def test_dry_run(home: Home, maildir: Path) -> None:
    """A dry run changes neither the store nor the mailbox."""
    (found,) = home.objects("ingest", "--dry-run", "--delete", str(maildir))
    assert (found["recognised"], found["deleted"], found["dry_run"]) == (2, 0, True)
    assert home.run("suppression", "check", JAN).exit_code == 1
    assert names(maildir) == ["1.a", "2.b", "3.c"]


def test_delete_and_move(home: Home, maildir: Path) -> None:
    """What was recognised goes where it is told, what people wrote stays."""
    (found,) = home.objects("ingest", "--move", "Zwroty", "--limit", "1", str(maildir))
    assert found["moved"] == 1
    (found,) = home.objects("ingest", "--delete", str(maildir))
    assert found["deleted"] == 1
    assert names(maildir / "new") == ["3.c"]
    assert len(names(maildir / ".Zwroty/cur")) == 1


def test_by_name(home: Home, maildir: Path) -> None:
    """A [[mailbox]] is read by its name; options of the command win."""
    with home.config.open("a") as file:
        file.write(f'[[mailbox]]\nname = "zwroty"\nkind = "maildir"\npath = "{maildir}"\nafter = "delete"\n')
    (found,) = home.objects("ingest", "--move", "Done", "zwroty")
    assert (found["mailbox"], found["moved"], found["deleted"]) == ("zwroty", 2, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--move", "x", "--delete", "."], Exit.USAGE, "either"),
        (["ftp://jan@example.com"], Exit.USAGE, "imaps"),
        (["imaps://jan:secret@example.com"], Exit.USAGE, "password"),
        (["imaps://example.com"], Exit.USAGE, "user: is required"),
        (["imaps://jan@example.com/Zwroty #2"], Exit.USAGE, "%23"),
        (["imaps://jan@example.com:x"], Exit.USAGE, "ort"),
        (["--address", "nobody", "."], Exit.USAGE, "not an address"),
        (["--move", "x", "pop3s://jan@example.com"], Exit.USAGE, "POP3 has no folders"),
        (["--tls", "none", "imap://jan@example.com"], Exit.USAGE, "unencrypted"),
        (["--password-file", "/nowhere/pw", "imaps://jan@example.com"], Exit.CONFIGURATION, "/nowhere/pw"),
        (["imaps://jan@example.com"], Exit.CONFIGURATION, ingest.PASSWORD_VARIABLE),
        (["/nowhere/Maildir"], Exit.CONFIGURATION, "/nowhere/Maildir"),
    ],
)
def test_refused(home: Home, arguments: list[str], code: Exit, words: str) -> None:
    """What can't be meant is refused before anything is read, and no password is ever shown."""
    done = home.run("ingest", *arguments)
    assert done.exit_code == code
    assert words in done.stderr
    assert "secret" not in done.stderr.replace("mailbox", "")


def test_unreachable(home: Home, monkeypatch: pytest.MonkeyPatch, maildir: Path) -> None:
    """A server that isn't there ends with 69 and its name; the other mailboxes are read all the same."""
    monkeypatch.setenv(ingest.PASSWORD_VARIABLE, "sesame")
    done = home.run("ingest", "imaps://jan@127.0.0.1:1/INBOX", str(maildir))
    assert done.exit_code == Exit.UNAVAILABLE
    assert "imap://jan@127.0.0.1:1/INBOX: Connection refused" in done.stderr
    assert "sesame" not in done.output
    assert "returns of yours, now on disk" in done.stdout


def test_disk(home: Home, maildir: Path) -> None:
    """Where the state folder can't be written, nothing is deleted, and the error names the place."""
    (home.state / "mailboxes").write_text("in the way")
    done = home.run("ingest", "--delete", str(maildir))
    assert done.exit_code == Exit.IO
    assert str(home.state / "mailboxes") in done.stderr
    assert names(maildir) == ["1.a", "2.b", "3.c"]


def outlook(address: str, number: int = 1) -> bytes:
    """A report as Outlook saves it."""
    headers = f"From: news@own.test\r\nTo: {address}\r\nMessage-ID: <{number}@own.test>\r\n\r\n"
    return msg(
        {0x1A: "REPORT.IPM.Note.NDR", 0x37: "Undeliverable", 0x7D: headers, 0x5D07: PLAIN},
        [{0x39FE: address, 0xC1B: "<mx.klient.test #5.1.1 smtp;550 5.1.1 User unknown>"}],
    )


def test_outlook_files(home: Home, tmp_path: Path) -> None:
    """Outlook's `.msg` files are read, whatever they are called; a broken one is named, and the others are read."""
    folder = tmp_path / "mails"
    folder.mkdir()
    (folder / "a.msg").write_bytes(outlook(JAN))
    (folder / "b").write_bytes(outlook(JAN, 2))
    (folder / "broken.msg").write_bytes(outlook(JAN)[:2000])
    done = home.run("ingest", "--json", str(folder))
    found = json.loads(done.stdout)
    assert (done.exit_code, found["recognised"], found["failed"]) == (Exit.DATA, 2, 1)
    assert f"{folder}/broken.msg: no Outlook message that can be read: damaged" in done.stderr
    assert home.run("suppression", "check", JAN).exit_code == 0


@pytest.mark.parametrize(("size", "code"), [(None, Exit.OK), (2000, Exit.DATA)])
def test_outlook_on_standard_input(home: Home, size: int | None, code: Exit) -> None:
    """A `.msg` file on standard input is one mail; a broken one is said so."""
    done = home.run("ingest", "--json", "-", stdin=outlook(JAN)[:size])
    assert done.exit_code == code
    assert json.loads(done.stdout)["recognised"] == (1 if size is None else 0)
    assert ("no Outlook message" in done.stderr) is (size is not None)

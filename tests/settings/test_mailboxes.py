"""[[mailbox]]: what is refused, what is warned of, and what the front gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from bouncemilter.fronts.mailbox import After, Security, SourceKind
from bouncemilter.settings import SettingsError, checks, parse
from bouncemilter.settings.checks import mailboxes
from bouncemilter.settings.sections import mailbox

PATH = Path("bouncemilter.toml")
IMAP = 'kind = "imap"\nhost = "mail.example.com"\nuser = "jan"\npassword_file = "/p"\n'


def text(*tables: str) -> str:
    ours = '[[return_path]]\ndomain = "bounces.own.test"\nprefix = "b"\nsender_domains = ["own.test"]\n'
    return ours + "".join(f"[[mailbox]]\n{each}\n" for each in tables)


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (f"{IMAP}", "mailbox[0].name: is required"),
        ('name = "a"\nkind = "exchange"', "mailbox[0].kind: Input should be"),
        ('name = "a"\nkind = "imap"\nuser = "jan"\npassword_file = "/p"', "mailbox[0].host: is required"),
        ('name = "a"\nkind = "pop3"\nhost = "mail.example.com"\npassword_file = "/p"', "mailbox[0].user: is required"),
        ('name = "a"\nkind = "imap"\nhost = "mail.example.com"\nuser = "jan"', "mailbox[0].password_file: is required"),
        (f'name = "a"\n{IMAP}token_file = "/t"', "mailbox[0].password_file: token_file is given, too"),
        (f'name = "a"\n{IMAP}tls = "none"', "mailbox[0].tls: none: the password would travel unencrypted"),
        (f'name = "a"\n{IMAP}after = "move"', "mailbox[0].move_to: is required"),
        (f'name = "a"\n{IMAP}after = "move"\nmove_to = "INBOX"', "mailbox[0].move_to: is the folder itself"),
        (f'name = "a"\n{IMAP}folder = "a\\tb"', "mailbox[0].folder: holds a control character"),
        (f'name = "a"\n{IMAP}port = 70000', "mailbox[0].port: Input should be less"),
        (f'name = "a"\n{IMAP}address = "*@own.test"', "mailbox[0].address: not an e-mail address"),
        (f'name = "a"\n{IMAP}interval_minutes = 0', "mailbox[0].interval_minutes: Input should be greater"),
        (
            f'name = "a"\n{IMAP.replace("imap", "pop3")}after = "move"\nmove_to = "x"',
            "mailbox[0].after: move: POP3 has no folders",
        ),
        ('name = "a"\nkind = "maildir"', "mailbox[0].path: is required"),
        ('name = "a"\nkind = "mbox"\npath = "/m"\nafter = "delete"', "mailbox[0].after: delete: an mbox is only read"),
        ('name = "a"\nkind = "maildir"\npath = "/m"\nafter = "move"\nmove_to = "a/b"', "without a slash"),
        ('name = "a"\nkind = "eml"\npath = "/m"\nafter = "move"\nmove_to = "a"', "write an absolute path"),
        ('name = "a"\nkind = "imap"\npassword_env = "A=B"', "mailbox[0].password_env: not the name of an environment"),
        ('name = "a"\nkind = "maildir"\npath = "m"', "mailbox[0].path: write an absolute path"),
    ],
)
def test_faults(table: str, fault: str) -> None:
    """Each fault is named by its key."""
    with pytest.raises(SettingsError) as caught:
        parse(text(table), PATH)
    assert fault in str(caught.value)


def test_twice() -> None:
    """Neither two of one name nor two for one mailbox."""
    with pytest.raises(SettingsError) as caught:
        parse(text(f'name = "a"\n{IMAP}', f'name = "a"\n{IMAP}folder = "x"', f'name = "b"\n{IMAP}'), PATH)
    assert [fault.key for fault in caught.value.faults] == ["mailbox[1].name", "mailbox[2]"]


def test_warnings() -> None:
    """A look more often than every ten minutes, and a password in clear, are warned of."""
    found = parse(text(f'name = "a"\n{IMAP}interval_minutes = 9\ntls = "none"\nallow_unencrypted = true'), PATH)
    assert {key for key, _ in checks.warnings(found)} >= {
        "mailbox[0].interval_minutes",
        "mailbox[0].allow_unencrypted",
    }
    fine = parse(text(f'name = "a"\n{IMAP}interval_minutes = 10'), PATH)
    assert not any(key.startswith("mailbox") for key, _ in checks.warnings(fine))


def test_options() -> None:
    """What the front gets: the usual ports, seconds, and nothing changed by default."""
    found = parse(text(f'name = "a"\n{IMAP}', 'name = "b"\nkind = "maildir"\npath = "/m"'), PATH)
    first, second = (mailbox(each) for each in found.mailbox)
    assert (first.kind, first.actual_port, first.security) == (SourceKind.IMAP, 993, Security.TLS)
    assert (first.interval, first.after, first.folder) == (900, After.LEAVE, "INBOX")
    assert (second.kind, second.place) == (SourceKind.MAILDIR, "/m")
    assert first.place == "imap://jan@mail.example.com:993/INBOX"


def test_mailbox_alone() -> None:
    """A mailbox with an address is enough: neither sink nor milter nor return path is needed."""
    parse(
        f'[sink]\nenabled = false\n[inbound]\nown_domains = ["own.test"]\n[[mailbox]]\nname = "a"\n{IMAP}'
        'address = "news@own.test"\n',
        PATH,
    )


def test_files(tmp_path: Path) -> None:
    """With the machine looked at: a password file that is not there or too open, a missing authority."""
    loose = tmp_path / "loose"
    loose.write_text("pw\n")
    loose.chmod(0o644)
    imap = 'kind = "imap"\nhost = "mail.example.com"\nuser = "jan"\n'
    tables = (
        f'name = "a"\n{imap}password_file = "{loose}"',
        f'name = "b"\n{imap}folder = "b"\ntoken_file = "{tmp_path / "none"}"\nca_file = "{tmp_path / "ca"}"',
    )
    found = parse(f'state_directory = "{tmp_path}"\n' + text(*tables), PATH)
    assert [key for key, _ in mailboxes.unusable(found)] == [
        "mailbox[0].password_file",
        "mailbox[1].token_file",
        "mailbox[1].ca_file",
    ]

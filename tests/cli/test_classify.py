"""`bouncemilter classify`: files, Maildirs, mbox files, folders, standard input, and single replies."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import bouncemilter
from bouncemilter.cli.classify import command
from tests.outlook.writing import msg
from tests.rig.forward import file, forward

_BOUNCE = b"""From: MAILER-DAEMON@mx.example.com
To: bounces@list.example.pl
Subject: Undelivered Mail Returned to Sender
Message-ID: <1@mx.example.com>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; jan@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <jan@example.com>: Recipient address rejected: User unknown

--b--
"""
_LETTER = b"From: Anna <anna@example.org>\nTo: biuro@example.pl\nSubject: Dzie\xc5\x84 dobry [bold]\x1b[31m\n\nList.\n"


def _run(*arguments: str | Path, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments], input=stdin)


def _objects(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_file_gives_the_object_of_the_contract(tmp_path: Path) -> None:
    """One JSON object with source, kind, recipients and defects, equal to classify_bytes but for the source."""
    path = tmp_path / "bounce.eml"
    path.write_bytes(_BOUNCE)
    (found,) = _objects(_run("--json", path))
    assert found.pop("source") == str(path)
    assert found == json.loads(json.dumps(bouncemilter.classify_bytes(_BOUNCE).to_dict()))
    assert found["kind"] == "bounce"
    (recipient,) = found["recipients"]  # type: ignore[misc]
    wanted = {
        "address": "jan@example.com",
        "action": "failed",
        "status": "5.1.1",
        "reply_code": "550",
        "category": "user_unknown",
        "class": "hard",
    }
    assert wanted.items() <= recipient.items()
    assert found["defects"] == []


def test_folders_maildirs_and_mbox_files_are_read_in_order(tmp_path: Path) -> None:
    """Folders are walked in sorted order; `tmp` and a Maildir's own files are left out; an mbox gives all its mails."""
    (tmp_path / "b.eml").write_bytes(_BOUNCE)
    for name in ("cur", "new", "tmp"):
        (tmp_path / "box" / name).mkdir(parents=True)
        (tmp_path / "box" / name / "1").write_bytes(_LETTER)
    (tmp_path / "box" / "dovecot.index").write_bytes(b"index")
    (tmp_path / "c.mbox").write_bytes(b"From - today\n" + _LETTER + b">From here\n\nFrom - tomorrow\n" + _BOUNCE)
    found = [
        (Path(str(each["source"])).relative_to(tmp_path).as_posix(), each["kind"])
        for each in _objects(_run("--json", tmp_path))
    ]
    assert found == [
        ("b.eml", "bounce"),
        ("box/cur/1", "mail"),
        ("box/new/1", "mail"),
        ("c.mbox", "mail"),
        ("c.mbox#2", "bounce"),
    ]


def test_standard_input_is_a_mail(tmp_path: Path) -> None:
    """`-` reads one mail from standard input."""
    (found,) = _objects(_run("--json", "-", stdin=_BOUNCE))
    assert (found["source"], found["kind"]) == ("-", "bounce")


def test_plain_lines_hold_no_markup_and_no_controls(tmp_path: Path) -> None:
    """What a stranger wrote is text: square brackets stay, escapes are visible."""
    path = tmp_path / "x.eml"
    path.write_bytes(_BOUNCE.replace(b"User unknown", b"User unknown [red]x[/red]"))
    result = _run(path)
    assert "user_unknown (hard)" in result.stdout
    assert "[red]x[/red]" in result.stdout
    assert "\x1b" not in _run(tmp_path / "x.eml").stdout


def test_a_single_reply() -> None:
    """`--text` prints category, class and rule of one reply."""
    (found,) = _objects(_run("--text", "550 5.1.1 User unknown"))
    assert found["text"] == "550 5.1.1 User unknown"
    assert (found["category"], found["class"]) == ("user_unknown", "hard")
    assert found["rule"]


def test_replies_from_standard_input() -> None:
    """`--text -` gives one object for each line that is not empty, in order."""
    found = _objects(_run("--text", "-", "--json", stdin="552 Skrzynka pełna\n\n550 5.7.1\n".encode()))
    assert [each["category"] for each in found] == ["mailbox_full", "policy_other"]
    assert found[0]["text"] == "552 Skrzynka pełna"


def test_own_rules(tmp_path: Path) -> None:
    """`--rules` adds a folder of rules; a broken one is refused with exit 78 and its fault."""
    rule = '[[rule]]\nid = "own.x"\ncategory = "mail_loop"\npatterns = ["xyzzy"]\nsource = "x"\n'
    rule += 'examples = ["550 xyzzy"]\n'
    (tmp_path / "own.toml").write_text(rule)
    (found,) = _objects(_run("--rules", tmp_path, "--text", "550 xyzzy"))
    assert (found["rule"], found["category"]) == ("own.x", "mail_loop")
    (tmp_path / "own.toml").write_text(rule.replace("mail_loop", "nonsense"))
    result = _run("--rules", tmp_path, "--text", "550 xyzzy")
    assert result.exit_code == 78
    assert "own.x: unknown category `nonsense`" in result.stderr


@pytest.mark.parametrize(
    "arguments", [(), ("/nowhere/x.eml",), ("--text", "550", "/dev/null"), ("--rules", "/nowhere", "--text", "550")]
)
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    """No input, two kinds of input, and paths that do not exist are usage errors."""
    assert _run(*arguments).exit_code == 2


def test_what_cannot_be_read_is_told_and_the_rest_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unreadable file is named on standard error, the others are printed, and the exit code is 74."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(_BOUNCE)
    opened = Path.open

    def refuse(path: Path, *arguments: object, **options: object) -> object:
        if path.name == "a":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    result = _run("--json", tmp_path)
    assert result.exit_code == 74
    assert f"{tmp_path}/a: Permission denied" in result.stderr
    assert len(result.stdout.splitlines()) == 1


def test_importing_the_package_is_cheap() -> None:
    """`import bouncemilter` loads neither rules nor RE2 nor the readers."""
    heavy = "{'re2', 'bouncemilter.classify', 'bouncemilter.report', 'click'}"
    code = f"import sys, bouncemilter; assert not {heavy} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _forwarded(*parts: bytes) -> bytes:
    head = b"From: Anna <anna@example.pl>\nTo: review@bounces.example.pl\nSubject: Fwd\nMIME-Version: 1.0\n"
    body = b"".join(b"--f\n" + each + b"\n" for each in parts)
    return head + b'Content-Type: multipart/mixed; boundary="f"\n\n' + body + b"--f--\n"


@pytest.mark.parametrize("way", ["rfc822", "eml", "base64"])
def test_attached(tmp_path: Path, way: str) -> None:
    """With --attached a mail that was forwarded as attachment is classified, not the letter around it."""
    head = {
        "rfc822": b"Content-Type: message/rfc822\n\n",
        "eml": b'Content-Type: application/octet-stream\nContent-Disposition: attachment; filename="x.EML"\n\n',
        "base64": b'Content-Type: application/octet-stream; name="x.eml"\nContent-Transfer-Encoding: base64\n\n',
    }[way]
    body = base64.encodebytes(_BOUNCE) if way == "base64" else _BOUNCE
    mail = tmp_path / "mail.eml"
    mail.write_bytes(_forwarded(b"Content-Type: text/plain\n\nCo to jest?\n", head + body))
    done = CliRunner().invoke(command, ["--json", "--attached", str(mail)])
    found = json.loads(done.stdout)
    assert (done.exit_code, found["source"], found["kind"]) == (0, f"{mail}:1", "bounce")
    assert found["recipients"][0]["category"] == "user_unknown"


def test_nothing_attached(tmp_path: Path) -> None:
    """A mail without an attached one is named, and the exit code says that it was not read."""
    mail = tmp_path / "mail.eml"
    mail.write_bytes(_LETTER)
    done = CliRunner().invoke(command, ["--attached", str(mail)])
    assert (done.exit_code, done.stderr) == (74, f"bouncemilter: {mail}: no mail is attached\n")


def _outlook() -> bytes:
    """A report as Outlook saves it."""
    return msg(
        {0x1A: "REPORT.IPM.Note.NDR", 0x37: "Niedostarczone", 0x1001: "Sorry."},
        [{0x39FE: "jan@example.com", 0xC1B: "<mx.example.com #5.1.1 smtp;550 5.1.1 User unknown>"}],
    )


@pytest.mark.parametrize("way", ["file", "stdin", "attached"])
def test_outlook(tmp_path: Path, way: str) -> None:
    """Outlook's `.msg` is read as any mail, by what it begins with: from a file of any name, a pipe, an attachment."""
    path = tmp_path / "zwrot"
    path.write_bytes(_outlook())
    if way == "attached":
        path.write_bytes(forward(file("Zwrot.msg", _outlook())))
        result = _run("--json", "--attached", path)
    else:
        result = _run("--json", path) if way == "file" else _run("--json", "-", stdin=_outlook())
    (found,) = _objects(result)
    assert (found["kind"], found["source"]) == ("bounce", {"stdin": "-", "attached": f"{path}:1"}.get(way, str(path)))
    assert found["recipients"][0]["category"] == "user_unknown"  # type: ignore[index]


def test_broken_outlook(tmp_path: Path) -> None:
    """A `.msg` file that can't be read is named with the reason, and the next mail is read."""
    broken, whole, attached = tmp_path / "a.msg", tmp_path / "b.eml", tmp_path / "c.eml"
    broken.write_bytes(_outlook()[:1500])
    whole.write_bytes(_LETTER)
    attached.write_bytes(forward(file("x.msg", b"nothing")))
    result = _run("--json", broken, whole)
    assert (result.exit_code, len(result.stdout.splitlines())) == (74, 1)
    assert f"bouncemilter: {broken}: no Outlook message that can be read: damaged" in result.stderr
    result = _run("--attached", attached)
    assert (result.exit_code, result.stderr) == (74, f"bouncemilter: {attached}:1: no Outlook message\n")

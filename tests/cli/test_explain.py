"""`explain`: every step from a mail or a reply to its meaning."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from bouncemilter.cli import main
from tests.rig import mail


def _run(*arguments: str, stdin: str = "") -> Result:
    done = CliRunner().invoke(main, ["explain", *arguments], input=stdin, catch_exceptions=False)
    assert all(char == "\n" or char.isprintable() for char in done.output), done.output
    return done


def _values(done: Result, name: str) -> list[str]:
    """The values of a field, in order."""
    lines = [line.strip() for line in done.stdout.splitlines()]
    return [line[len(name) :].strip() for line in lines if line.startswith(f"{name} ")]


def test_a_reply_step_by_step() -> None:
    """Template, codes, phase, the winning rule with its pattern, those it beat with the reason, ruling and advice."""
    done = _run("--text", "451 4.7.1 <a@example.com>: Greylisted, try again in 300 seconds; user unknown")
    assert done.exit_code == 0
    assert _values(done, "template") == ["451 4.7.1 <addr>: greylisted, try again in # seconds; user unknown"]
    assert _values(done, "codes") == ["451 4.7.1"]
    winner, *beaten = _values(done, "rule")
    assert winner.startswith("+ generic.greylisted: greylisted (generic), matches `")
    assert "- generic.user_unknown: user_unknown (generic): priority 5 over 0" in beaten
    assert _values(done, "ruling") == ["greylisted (soft) by generic.greylisted, retry after 300 s"]
    assert "tries again by itself" in _values(done, "advice")[0]


def test_advice_in_polish() -> None:
    """The advice comes in the language that was asked for."""
    done = _run("--text", "550 5.1.1 User unknown", "--lang", "pl")
    assert _values(done, "advice")[0].startswith("Nie ma takiej skrzynki.")


def test_why_a_rule_does_not_hold() -> None:
    """A rule that matches but is kept out by its exceptions, or by the phase, is shown with the reason."""
    done = _run("--text", "550 5.1.1 <a@example.com>: User unknown (in reply to MAIL FROM command)")
    assert "nobody knows that at mail" in " ".join(_values(done, "rule"))
    done = _run("--text", "550 mailbox unavailable: relay trouble")
    assert "unless `relay`" in " ".join(_values(done, "rule"))


def test_a_reply_that_no_rule_knows() -> None:
    """Without a rule the codes decide, and that is said."""
    done = _run("--text", "-", stdin="550 5.2.1 xyzzy\n")
    assert _values(done, "rules") == ["none matches, the codes decide"]
    assert _values(done, "ruling") == ["mailbox_disabled (hard) by fallback.5.2.1"]


def test_a_mail_step_by_step(tmp_path: Path) -> None:
    """The reader, the parts, the reporting host, then each recipient with what was said and its ruling."""
    path = tmp_path / "bounce.eml"
    path.write_bytes(mail.dsn("b@bounces.own.test", "jan@klient.test", mail.UNKNOWN))
    done = _run(str(path))
    assert done.stdout.startswith(f"{path}: bounce\n")
    assert _values(done, "read as") == ["dsn"]
    assert "message/delivery-status" in _values(done, "parts")[0]
    assert _values(done, "recipient") == ["jan@klient.test"]
    assert _values(done, "ruling")[0].startswith("user_unknown (hard) by ")


def test_a_letter_has_no_ruling(tmp_path: Path) -> None:
    """A person's mail is said to be one, and nothing is ruled on."""
    path = tmp_path / "letter.eml"
    path.write_bytes(b"From: Anna <anna@example.org>\nSubject: hi \x1b[31m\n\nHello.\n")
    done = _run(str(path))
    assert done.stdout.startswith(f"{path}: mail\n")
    assert not _values(done, "ruling")


def test_usage() -> None:
    """A file or a reply, not both and not neither."""
    assert _run().exit_code == 2
    assert _run("-", "--text", "550").exit_code == 2

"""`why`: what is known of an address, harmless on any terminal (F44)."""

from __future__ import annotations

import contextlib
import re
import shlex
import sqlite3
from pathlib import Path

import pytest

from bouncemilter import trust
from bouncemilter.cli import casefile
from bouncemilter.model import Cause, Scope, Sentence
from bouncemilter.returnpath import Reason
from bouncemilter.store import Store
from tests.cli.conftest import Home
from tests.rig import mail

JAN = "jan@klient.test"
EVIL = "550 5.1.1 \x1b[31m\x1b]0;x\x07[red]bold[/red] [link=http://x.test]:boom:\u202e \x9b2J <{}>: user unknown"


def test_suppressed(home: Home) -> None:
    """Each event with the server's words and the decision, oldest first, under the suppression that they made."""
    home.bounce(JAN, times=2)
    done = home.run("why", "JAN@klient.test")
    assert done.exit_code == 0
    head, suppression, first, second = done.stdout.split("\n\n")
    assert head == f"{JAN}: suppressed"
    assert "hard, global, for good; in force" in suppression
    assert "category     user_unknown by rule generic.user_unknown" in suppression
    assert "decision     counted: hard, message 1 of 2 within 32 days (trust plausible)" in first
    assert "decision     suppressed: hard, message 2 of 2" in second
    assert f"server said  {mail.UNKNOWN.format(JAN)}" in second
    assert "trust        plausible (verp)" in second
    assert "codes        550 5.1.1" in second


def test_as_json(home: Home) -> None:
    """One object with everything, its class under the name `class`."""
    home.bounce(JAN, times=2)
    (found,) = home.objects("why", JAN)
    assert (found["address_key"], found["suppressed"]) == (JAN, True)
    assert [each["decision"]["effect"] for each in found["events"]] == ["suppressed", "counted"]
    assert found["suppressions"][0]["event_id"] == found["events"][0]["event"]["id"]
    assert found["events"][0]["event"]["category"] == "user_unknown"


def test_not_suppressed(home: Home) -> None:
    """Nothing known is an answer: 1; so is a suppression that was lifted, which is shown with who did it."""
    done = home.run("why", JAN)
    assert (done.exit_code, done.stdout) == (1, f"{JAN}: not suppressed\nnothing is on record\n")
    home.bounce(JAN, times=2)
    home.run("suppression", "remove", JAN)
    done = home.run("why", JAN)
    assert done.exit_code == 1
    assert "; lifted 20" in done.stdout
    assert "(excused)" in done.stdout


@pytest.mark.parametrize(
    ("options", "ends"),
    [
        ((), "only by hand, by"),
        (("--days", "9"), "by itself then; before by"),
        (("--scope", "sender:own.test"), "only by hand, by"),
    ],
)
def test_what_would_end_it(home: Home, options: tuple[str, ...], ends: str) -> None:
    """The file says what would lift a suppression; the command that it names lifts it, and none of another scope."""
    for scope in (options, ("--scope", "list:other.test")):
        assert home.run("suppression", "add", "o'neil@klient.test", *scope).exit_code == 0
    (line,) = [each for each in home.run("why", "o'neil@klient.test").stdout.splitlines() if ends in each][:1]
    assert line.startswith("  ends ")
    program, *words = shlex.split(re.findall("`(.+)`", line)[0])
    assert program == "bouncemilter"
    assert home.run(*words).exit_code == 0
    (found,) = home.objects("why", "o'neil@klient.test")
    assert [each["scope"] for each in found["suppressions"] if not each["ended_at"]] == ["list"]


def test_what_would_end_an_opt_out(home: Home) -> None:
    """An opt-out is the person's: lifted at that person's wish alone. What is over has no such line; nor in Polish."""

    async def opt_out(store: Store) -> None:
        await store.suppress(JAN, Sentence(Scope.LIST, "l.test", Cause.UNSUBSCRIBE, None), by="op")

    home.store(opt_out)
    command = f"`bouncemilter suppression remove {JAN} --cause unsubscribe --scope list:l.test`"
    assert f"  ends         only if the person asks for it, by {command}\n" in home.run("why", JAN).stdout
    assert f"  koniec       tylko na prośbę tej osoby, przez {command}\n" in home.run("why", JAN, "--lang", "pl").stdout
    home.run("suppression", "remove", JAN)
    assert "  ends" not in home.run("why", JAN).stdout


def test_no_address(home: Home) -> None:
    """What is no address is bad data, and comes back harmless."""
    done = home.run("why", "jan\x1b[31m")
    assert (done.exit_code, done.stderr) == (65, "bouncemilter: not an e-mail address: jan\\x1b[31m\n")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_hostile_words(home: Home, options: tuple[str, ...]) -> None:
    """A server's controls never reach the terminal, and its markup is printed as it is."""
    home.bounce(JAN, EVIL, times=2)
    for command in (("why", JAN), ("suppression", "list"), ("suppression", "check", JAN)):
        text = home.run(*command, *options).stdout
        assert JAN in text
    assert "[red]bold[/red] [link=http://x.test]:boom:" in home.run("why", JAN, *options).stdout


def test_hostile_note(home: Home) -> None:
    """Markup in a note is no markup in a table."""
    home.run("suppression", "add", JAN, "--note", "[red]x[/red] :boom: [/nothing]")
    assert "[red]x[/red] :boom: [/nothing]" in home.run("suppression", "list").stdout


def test_hostile_store(home: Home) -> None:
    """Whatever lies in the store, a terminal gets it as escapes: other programs may write there, too."""
    home.bounce(JAN, times=2)
    with contextlib.closing(sqlite3.connect(home.state / "bouncemilter.db", isolation_level=None)) as store:
        store.execute(
            "UPDATE events SET diagnostic = ?, returned_subject = ?, remote_host = ?", ["a\x1b[31m\u202eb"] * 3
        )
        store.execute("UPDATE suppressions SET note = ?, created_by = ?", ["c\x1b]0;x\x07\r\nd"] * 2)
    assert "server said  a\\x1b[31m\\u202eb\n" in home.run("why", JAN).stdout
    for command in ("list", "check"):
        arguments = [JAN] if command == "check" else []
        assert "c\\x1b]0;x\\x07\\x0d\\x0ad" in home.run("suppression", command, *arguments).stdout
    (found,) = home.objects("why", JAN)
    assert found["events"][0]["event"]["diagnostic"] == "a\x1b[31m\u202eb"


def test_trust_in_words(home: Home) -> None:
    """What ties a report to our mail is said in words, for each reason that there is, in both languages."""
    named = set(re.findall(r'Assessment\(Trust\.\w+, f?"([a-z_]+)"\)', Path(trust.__file__).read_text()))
    named |= {"token", "token_returned", "message_token", "message_token_returned", "not_a_recipient", trust.DKIM}
    assert named | set(Reason) == set(casefile.REASONS)
    home.bounce(JAN)
    assert "plausible (verp): it came to the unsigned return path of this address" in home.run("why", JAN).stdout


def test_in_polish(home: Home) -> None:
    """The whole file reads in Polish: headings, states, trust and advice."""
    home.bounce(JAN, times=2)
    text = home.run("why", JAN, "--lang", "pl").stdout
    assert text.startswith(f"{JAN}: zablokowany\n\nblokada 1: hard, global, na zawsze; obowiązuje\n")
    assert "rada         Nie ma takiej skrzynki." in text
    assert "powód        twardy zwrot, wiadomość 2 z 2 w ciągu 32 dni (wiarygodność plausible)\n" in text
    assert "decyzja      suppressed: twardy zwrot, wiadomość 2 z 2" in text
    assert "wiarygodność plausible (verp): przyszedł na niepodpisany adres zwrotny" in text
    home.run("suppression", "remove", JAN)
    text = home.run("why", JAN, "--lang", "pl").stdout
    assert text.startswith(f"{JAN}: niezablokowany\n")
    assert "(darowane)" in text


def test_every_heading_in_polish() -> None:
    """No heading or phrase of the file lacks its Polish words, and they fit the column."""
    source = Path(casefile.__file__).read_text()
    used = set(re.findall(r"_word\([\"']([^\"']+)[\"']\)", source)) | set(re.findall(r'(?m)^ +\("([a-z ]+)", ', source))
    assert used <= set(casefile._WORDS)
    assert all(len(casefile._WORDS[each].pl) <= 12 for each in re.findall(r'(?m)^ +\("([a-z ]+)", ', source))

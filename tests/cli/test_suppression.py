"""`suppression`: listing, asking, adding and lifting, with the daemon down."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from tests.cli.conftest import Home
from tests.rig import mail

JAN, EWA, OLA = "jan@klient.test", "ewa@klient.test", "ola@inny.test"
NOT_NOW = "550 5.7.1 <{}>: blocked, see blocklist.example.org"


@pytest.fixture
def filled(home: Home) -> Home:
    """Jan is suppressed as unknown, Ewa by hand; Ola's mailbox was full twice."""
    home.bounce(JAN, times=2)
    assert home.run("suppression", "add", EWA, "--note", "dzwoniła").exit_code == 0
    home.bounce(OLA, mail.FULL)
    return home


def addresses(home: Home, *options: str) -> list[str]:
    return [each["address_key"] for each in home.objects("suppression", "list", *options)]


LISTED: tuple[tuple[list[str], list[str]], ...] = (
    ([], [JAN, EWA]),
    (["--cause", "hard"], [JAN]),
    (["--cause", "manual"], [EWA]),
    (["--cause", "soft"], []),
    (["--class", "hard"], [JAN]),
    (["--category", "user_unknown"], [JAN]),
    (["--category", "mailbox_full"], []),
    (["--domain", "KLIENT.test."], [JAN, EWA]),
    (["--domain", "inny.test"], []),
    (["--domain", "lient.test"], []),
    (["--limit", "1"], [JAN]),
    (["--watched"], [OLA]),
    (["--watched", "--category", "mailbox_full"], [OLA]),
    (["--watched", "--class", "hard"], []),
    (["--watched", "--domain", "klient.test"], []),
    (["--watched", "--domain", "inny.test", "--limit", "5"], [OLA]),
)


def test_list(filled: Home) -> None:
    """Each option narrows the list; what is listed, oldest first, is in force."""
    assert [(options, addresses(filled, *options)) for options, _ in LISTED] == list(LISTED)


def test_list_for_people(filled: Home) -> None:
    """People get a line for each address, with the reason."""
    head, jan, ewa = filled.run("suppression", "list").stdout.splitlines()
    assert head.split() == ["address", "scope", "cause", "category", "since", "until", "by", "why"]
    assert jan.startswith(JAN)
    assert "hard, message 2 of 2 within 32 days" in jan
    assert "for good" in jan
    assert ewa.split()[0] == EWA
    assert ewa.rstrip().endswith("dzwoniła")
    (_, ola) = filled.run("suppression", "list", "--watched").stdout.splitlines()
    assert "watching 1/4" in ola


def test_list_of_nothing(home: Home) -> None:
    """An empty list is no error and prints nothing; asking it makes a store that the daemon can use."""
    done = home.run("suppression", "list")
    assert (done.exit_code, done.stdout) == (0, "")
    assert addresses(home) == []


def test_watched_excludes_cause(home: Home) -> None:
    """What is only watched has no cause yet: asking for one is a mistake, not an empty answer."""
    assert home.run("suppression", "list", "--watched", "--cause", "soft").exit_code == 2


@pytest.mark.parametrize(
    ("asked", "code"),
    [([JAN], 0), (["JAN@Klient.TEST"], 0), ([OLA], 1), ([OLA, JAN], 0), (["jan"], 65), ([JAN, "a b@x"], 65), ([], 2)],
)
def test_check(filled: Home, asked: list[str], code: int) -> None:
    """0 if any address is suppressed, 1 if none; 65 for what is no address."""
    done = filled.run("suppression", "check", *asked)
    assert done.exit_code == code
    assert ("bouncemilter: not an e-mail address: " in done.stderr) is (code == 65)


def test_check_as_json(filled: Home) -> None:
    """The object holds the evidence."""
    (found,) = filled.objects("suppression", "check", OLA, JAN)
    assert found["address_key"] == JAN
    assert (found["cause"], found["scope"], found["category"], found["trust"]) == (
        *("hard", "global", "user_unknown", "plausible"),
    )
    assert found["diagnostic"] == mail.UNKNOWN.format(JAN)
    assert (found["created_by"], found["expires_at"], found["ended_at"]) == ("policy", None, None)


@pytest.mark.parametrize(
    ("options", "scope", "value"),
    [
        ([], "global", ""),
        (["--sender", "Sklep.Own.TEST"], "sender", "sklep.own.test"),
        (["--sender", "żółw.pl"], "sender", "xn--w-uga1v8h.pl"),
        (["--list", "<Nowosci.own.test>"], "list", "nowosci.own.test"),
    ],
)
def test_add(home: Home, options: list[str], scope: str, value: str) -> None:
    """An address is suppressed at once, in the scope that was asked for, under its canonical key."""
    done = home.run("suppression", "add", "Jan@KLIENT.test", EWA, *options)
    assert (done.exit_code, done.stdout) == (0, f"suppressed: {JAN}\nsuppressed: {EWA}\n")
    for each in (JAN, EWA):
        (found,) = home.objects("suppression", "check", each)
        assert (found["scope"], found["scope_value"], found["cause"]) == (scope, value, "manual")
        assert found["expires_at"] is None


def test_add_for_days(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suppression may end by itself, and tells who made it: through sudo, the one who called it."""
    monkeypatch.setenv("SUDO_USER", "magda")
    home.run("suppression", "add", JAN, "--days", "7")
    (found,) = home.objects("suppression", "check", JAN)
    assert found["created_by"] == "magda"
    assert found["expires_at"] is not None
    assert "until " in home.run("why", JAN).stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([JAN, "jan"], 65),
        ([JAN, "--sender", "a", "--list", "b"], 2),
        ([JAN, "--sender", "no domain"], 65),
        ([JAN, "--sender", "a@b.pl"], 65),
        ([JAN, "--days", "0"], 2),
        ([], 2),
    ],
)
def test_add_refused(home: Home, arguments: list[str], code: int) -> None:
    """With one mistake nothing is written, not even for the other addresses."""
    assert home.run("suppression", "add", *arguments).exit_code == code
    assert addresses(home) == []


def test_add_twice(home: Home) -> None:
    """What is in force stays as it is, with its first note."""
    for note in ("first", "second"):
        assert home.run("suppression", "add", JAN, "--note", note).exit_code == 0
    assert [each["note"] for each in home.objects("suppression", "list")] == ["first"]


def test_odd_octets(home: Home) -> None:
    """A note that a terminal sent in another charset is kept without what is no text."""
    assert home.run("suppression", "add", JAN, "--note", "caf\udce9\x1b[31m").exit_code == 0
    assert home.run("suppression", "add", EWA, "--list", "l\udce9\x07.own.test").exit_code == 0
    assert home.run("suppression", "add", "j\udce9@klient.test").exit_code == 65
    assert [each["note"] for each in home.objects("suppression", "list")] == ["caf [31m", ""]


def test_remove(filled: Home) -> None:
    """What is lifted is told; lifting again says that there was nothing."""
    done = filled.run("suppression", "remove", "JAN@klient.test", EWA, "--note", "poprosił")
    assert (done.exit_code, done.stdout) == (0, f"lifted: {JAN} (hard, global)\nlifted: {EWA} (manual, global)\n")
    assert filled.run("suppression", "check", JAN, EWA).exit_code == 1
    assert filled.run("suppression", "remove", JAN).exit_code == 1


def test_remove_one_cause(filled: Home) -> None:
    """Only what was named is lifted."""
    filled.run("suppression", "add", JAN)
    assert filled.run("suppression", "remove", JAN, "--cause", "manual").exit_code == 0
    assert [each["cause"] for each in filled.objects("suppression", "check", JAN)] == ["hard"]
    assert filled.run("suppression", "remove", JAN, "--cause", "complaint").exit_code == 1


def test_remove_refused(filled: Home) -> None:
    """With one mistake nothing is lifted."""
    assert filled.run("suppression", "remove", JAN, "jan").exit_code == 65
    assert filled.run("suppression", "check", JAN).exit_code == 0


def test_removed_starts_anew(filled: Home) -> None:
    """After a removal the failures before it don't count: the next one is the first, the one after it suppresses."""
    filled.run("suppression", "remove", JAN)
    filled.bounce(JAN)
    assert filled.run("suppression", "check", JAN).exit_code == 1
    (found,) = filled.objects("why", JAN)
    assert [(each["decision"]["watched"], each["excused"]) for each in found["events"]] == [
        *(("1/2", False), ("", True), ("1/2", True)),
    ]
    filled.bounce(JAN)
    assert filled.run("suppression", "check", JAN).exit_code == 0


def test_locked(filled: Home) -> None:
    """While somebody else writes, reading goes on, and writing says that it is worth another try."""
    path = filled.state / "bouncemilter.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert filled.run("suppression", "check", JAN).exit_code == 0
        done = filled.run("suppression", "add", OLA)
        other.execute("ROLLBACK")
    assert done.exit_code == 75
    assert done.stderr == "bouncemilter: the store can't be used just now: database is locked\n"


@pytest.mark.parametrize("command", [("suppression", "list"), ("suppression", "check", JAN), ("why", JAN), ("doctor",)])
def test_foreign_store(home: Home, command: tuple[str, ...]) -> None:
    """A file that is not ours is refused with 78 and left as it is (F06)."""
    path = home.state / "bouncemilter.db"
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE mail (id)")
    before = path.read_bytes()
    done = home.run(*command)
    assert done.exit_code == 78
    assert done.stderr.startswith(f"bouncemilter: {path}: another program's database")
    assert path.read_bytes() == before

"""`forget`: what goes, what stays, and how it is told."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from bouncemilter.cli import main
from bouncemilter.store import Store
from tests.cli.conftest import Home

JAN = "jan@klient.test"


def test_forget(home: Home) -> None:
    """A dry run changes nothing and says what would go; then all goes but the block, which `check` still finds."""
    home.bounce(JAN, times=2)
    dry = home.run("forget", "Jan@klient.test", "--dry-run")
    assert dry.exit_code == 0
    assert "would be forgotten\n  events                         2\n" in dry.stdout
    assert "stays as a hash: hard, global, for good\n" in dry.stdout
    assert "event " in home.run("why", JAN).stdout
    done = home.run("forget", JAN)
    assert (done.exit_code, done.stdout) == (0, dry.stdout.replace("would be forgotten", "forgotten"))
    assert home.run("suppression", "check", JAN).exit_code == 0
    assert home.run("suppression", "list").stdout == ""
    why = home.run("why", JAN)
    assert why.exit_code == 0
    assert "event " not in why.stdout
    assert "forgotten" in why.stdout
    assert home.run("forget", JAN).stdout == f"{JAN}: nothing is known\n"
    assert home.run("suppression", "remove", JAN).exit_code == 0
    assert home.run("suppression", "check", JAN).exit_code == 1


def test_as_json(home: Home) -> None:
    """One object for each address; 1 where nothing was known of any."""
    home.run("suppression", "add", JAN)
    known, unknown = home.objects("forget", JAN, "ewa@klient.test", "--dry-run")
    assert (known["suppressions"], len(known["blocks"]), unknown["suppressions"]) == (1, 1, 0)
    assert home.run("forget", "ewa@klient.test").exit_code == 1


def test_no_address(home: Home) -> None:
    """One that is no address stops all before the first is forgotten."""
    home.run("suppression", "add", JAN)
    done = home.run("forget", JAN, "jan")
    assert (done.exit_code, done.stderr) == (65, "bouncemilter: not an e-mail address: jan\n")
    assert JAN in home.run("suppression", "list").stdout


def test_from_standard_input(home: Home) -> None:
    """`-` takes addresses from standard input, one a line."""
    home.run("suppression", "add", JAN, "ewa@klient.test")
    done = CliRunner().invoke(main, ["forget", "-", "--config", str(home.config)], input=f"{JAN}\n\newa@klient.test\n")
    assert (done.exit_code, done.stdout.count(": forgotten\n")) == (0, 2)
    assert home.run("suppression", "list").stdout == ""


def test_somebody_reads(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the write-ahead log can't be emptied, it is said that what was forgotten still stands there."""

    async def shed(_: Store) -> bool:
        return False

    home.run("suppression", "add", JAN)
    monkeypatch.setattr(Store, "shed", shed)
    done = home.run("forget", JAN)
    assert (done.exit_code, "write-ahead log still holds" in done.stderr) == (0, True)


def test_lists(home: Home) -> None:
    """A list is scrubbed of forgotten addresses, an import does not bring them back, an export says how many lack."""
    home.run("suppression", "add", JAN, "ewa@klient.test")
    home.run("forget", JAN)
    mailing = home.folder / "list.csv"
    mailing.write_text(f'email,name\nola@klient.test,Ola\n{JAN},Jan\n"{JAN}, ola@klient.test",both\n')
    rejected = home.folder / "rejected.csv"
    assert home.run("scrub", str(mailing), "--rejected", str(rejected)).exit_code == 0
    assert (home.folder / "list.clean.csv").read_text() == "email,name\nola@klient.test,Ola\n"
    assert rejected.read_text().count("manual") == 2
    done = home.run("suppression", "export", "--format", "plain")
    assert done.stdout == "ewa@klient.test\n"
    assert done.stderr == (
        "bouncemilter: 1 suppressions of forgotten addresses are left out: only the daemon can enforce them\n"
    )
    plain = home.folder / "plain.txt"
    plain.write_text(f"{JAN}\n")
    home.run("suppression", "import", str(plain))
    assert JAN not in home.run("suppression", "list").stdout

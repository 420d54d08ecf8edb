"""`incident`, and what other commands say of pending addresses."""

from __future__ import annotations

import datetime as dt

import pytest

from bouncemilter.store import Store
from tests.cli.conftest import Home
from tests.store.outbreak import DAY, fail, failure, mail, people

NOW = dt.datetime.now(dt.UTC)
HELD = "user0@gmail.com"


@pytest.fixture
def outbreak(home: Home) -> Home:
    """A site on which 60 living addresses at Gmail have just failed, and a dead one elsewhere."""

    async def work(store: Store) -> None:
        living = people(60)
        await mail(store, living, NOW - 21 * DAY)
        await fail(store, [failure(each, NOW, diagnostic="550 \x1b[31mno such user") for each in living])
        await fail(store, [failure("dead@wp.pl", NOW, template="")])

    home.store(work)
    return home


def test_none(home: Home) -> None:
    """No incident is an answer: 1."""
    assert home.run("incident", "list").exit_code == 1
    assert home.run("incident", "show", "1").exit_code == 1
    assert home.run("incident", "undo", "1").exit_code == 1
    assert home.run("incident", "release", "1").exit_code == 1


def test_list_and_show(outbreak: Home) -> None:
    """What it is, why, and whom it holds; also as JSON."""
    done = outbreak.run("incident", "list")
    assert done.exit_code == 0
    assert "gmail.com user_unknown" in done.stdout
    (found,) = outbreak.objects("incident", "list", "--open")
    assert (found["id"], found["state"], found["pending"], found["suppressed"]) == (1, "open", 60, 0)
    shown = outbreak.run("incident", "show", "1").stdout
    assert "50 addresses would have been suppressed within 60 minutes" in shown
    assert HELD in shown
    (whole,) = outbreak.objects("incident", "show", "1")
    assert len(whole["suppressions"]) == 60


def test_pending_is_not_suppressed(outbreak: Home) -> None:
    """`check` and `why` say pending and exit 1; `list` shows both, `--pending` those alone."""
    done = outbreak.run("suppression", "check", HELD)
    assert (done.exit_code, "pending (incident 1)" in done.stdout) == (1, True)
    done = outbreak.run("why", HELD)
    assert done.exit_code == 1
    assert "pending: incident 1 holds it back" in done.stdout
    assert "decision     pending: hard, message 1 of 1" in done.stdout
    assert len(outbreak.objects("suppression", "list")) == 61
    assert len(outbreak.objects("suppression", "list", "--pending")) == 60
    assert outbreak.run("suppression", "list", "--pending", "--watched").exit_code == 2


def test_release_then_undo(outbreak: Home) -> None:
    """A dry run changes nothing; a release suppresses; undone after it, all are free."""
    assert outbreak.run("incident", "release", "1", "--dry-run").stdout == "would suppress 60 addresses\n"
    assert outbreak.run("suppression", "check", HELD).exit_code == 1
    assert outbreak.run("incident", "release", "1").stdout == "released: incident 1, 60 addresses suppressed\n"
    assert outbreak.run("suppression", "check", HELD).exit_code == 0
    assert outbreak.run("incident", "release", "1").exit_code == 1
    said = outbreak.run("incident", "undo", "1", "--dry-run").stdout
    assert said == "would excuse 60 failures and end 60 suppressions\n"
    done = outbreak.run("incident", "undo", "1", "--note", "Gmail to potwierdził")
    assert (done.exit_code, "60 failures excused" in done.stdout) == (0, True)
    assert outbreak.run("suppression", "check", HELD).exit_code == 1
    assert "(excused)" in outbreak.run("why", HELD).stdout
    assert "Gmail to potwierdził" in outbreak.run("incident", "show", "1").stdout


def test_undo_by_name(outbreak: Home) -> None:
    """Failures that nothing noticed are undone by domain, category and time; a dry run only says how many they are."""
    since = f"{NOW - DAY:%Y-%m-%d}"
    wanted = ("--domain", "wp.pl", "--category", "user_unknown", "--since", since)
    rehearsed = outbreak.run("incident", "undo", *wanted, "--dry-run")
    assert (rehearsed.exit_code, rehearsed.stdout) == (0, "would excuse 1 failures and end 1 suppressions\n")
    assert outbreak.run("suppression", "check", "dead@wp.pl").exit_code == 0
    assert outbreak.run("incident", "undo", *wanted).exit_code == 0
    assert outbreak.run("suppression", "check", "dead@wp.pl").exit_code == 1
    assert outbreak.run("incident", "undo", *wanted).exit_code == 1
    assert outbreak.run("incident", "undo", *wanted, "--dry-run").exit_code == 1
    assert outbreak.run("incident", "undo", "1", *wanted).exit_code == 2
    assert outbreak.run("incident", "undo", "--domain", "wp.pl").exit_code == 2

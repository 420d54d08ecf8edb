"""`suppression list|add|remove|changes` by their filters, and from standard input."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from click.testing import CliRunner

from bouncemilter.cli import main
from bouncemilter.model import Cause, Scope, Sentence
from bouncemilter.store import Store
from tests.cli.conftest import Home
from tests.rig import mail

JAN, EWA, OLA, ADA = "jan@klient.test", "ewa@poczta.wp.pl", "ola@wp.pl", "ada@fakewp.pl"
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def filled(home: Home) -> Home:
    """Jan bounced; Ewa left a list; Ola complained of a sender; Ada is suppressed for a day; Iga is watched."""
    home.bounce(JAN, times=2)
    home.bounce("iga@wp.pl", mail.FULL)
    sentences = (
        (EWA, Scope.LIST, "l.own.test", Cause.UNSUBSCRIBE, None),
        (OLA, Scope.SENDER, "sklep.test", Cause.COMPLAINT, None),
        (ADA, Scope.GLOBAL, "", Cause.MANUAL, NOW + dt.timedelta(days=1)),
    )

    async def suppress(store: Store) -> None:
        for address, scope, value, cause, until in sentences:
            await store.suppress(address, Sentence(scope, value, cause, until), by="ewa")

    home.store(suppress)
    return home


def addresses(home: Home, *options: str) -> list[str]:
    return [each["address_key"] for each in home.objects("suppression", "list", *options)]


TODAY, TOMORROW = (f"{NOW + dt.timedelta(days=days):%Y-%m-%d}" for days in (0, 1))
LISTED: tuple[tuple[list[str], list[str]], ...] = (
    (["--provider", "wp.pl"], [EWA, OLA]),
    (["--provider", "poczta.wp.pl"], [EWA, OLA]),
    (["--domain", "wp.pl"], [OLA]),
    (["--scope", "list"], [EWA]),
    (["--scope", "list:L.own.test"], [EWA]),
    (["--scope", "list:other.test"], []),
    (["--list", "<L.own.test>"], [EWA]),
    (["--sender", "Sklep.test"], [OLA]),
    (["--sender", "own.test"], [JAN]),
    (["--since", TODAY, "--until", TOMORROW], [JAN, EWA, OLA, ADA]),
    (["--until", TODAY], []),
    (["--campaign", "none"], []),
    (["--state", "in-force", "--cause", "manual"], [ADA]),
    (["--state", "expired"], []),
    (["--state", "removed"], []),
    (["--state", "watching"], ["iga@wp.pl"]),
    (["--state", "watching", "--provider", "klient.test"], []),
    (["--state", "watching", "--sender", "own.test", "--since", TODAY, "--class", "soft"], ["iga@wp.pl"]),
)


def test_filters(filled: Home) -> None:
    """Each filter narrows the list by what it names; a provider is its domain and those below, and no namesake."""
    assert [(options, addresses(filled, *options)) for options, _ in LISTED] == list(LISTED)


def test_states(filled: Home) -> None:
    """What was lifted is removed, what ran out is expired; neither is in force."""
    filled.run("suppression", "remove", JAN)

    async def run_out(store: Store) -> None:
        connection = await store._writing.connect()
        await connection.exec_driver_sql(
            "UPDATE suppressions SET expires_at = created_at WHERE address_key = ?", (ADA,)
        )
        await connection.commit()
        await connection.close()

    filled.store(run_out)
    assert addresses(filled, "--state", "removed") == [JAN]
    assert addresses(filled, "--state", "expired") == [ADA]
    assert addresses(filled) == [EWA, OLA]
    assert ", ended by " in filled.run("suppression", "list", "--state", "removed").stdout


@pytest.mark.parametrize(
    "options",
    [
        ["--state", "watching", "--cause", "hard"],
        ["--state", "watching", "--scope", "list"],
        ["--scope", "everywhere"],
        ["--scope", "list:"],
        ["--state", "pending", "--watched"],
        ["--since", "soon"],
        ["--state", "gone"],
    ],
)
def test_mistakes(home: Home, options: list[str]) -> None:
    """What contradicts itself is a mistake, not an empty answer."""
    assert home.run("suppression", "list", *options).exit_code == 2


def test_remove_by_filter(filled: Home) -> None:
    """By filter it is first only shown what would be lifted; opt-outs and complaints stay unless they are named."""
    shown = filled.run("suppression", "remove", "--until", TOMORROW)
    assert shown.exit_code == 0
    assert "2 would be lifted; 2 opt-outs and complaints stay; nothing was changed" in shown.stdout.replace("\n", " ")
    assert len(addresses(filled)) == 4
    done = filled.run("suppression", "remove", "--until", TOMORROW, "--yes", "--note", "umowa")
    assert done.stdout == f"lifted: {JAN} (hard, global)\nlifted: {ADA} (manual, global)\n"
    assert addresses(filled) == [EWA, OLA]
    assert filled.run("suppression", "remove", "--until", TOMORROW, "--yes").exit_code == 1
    assert filled.run("suppression", "remove", "--provider", "wp.pl", "--including-opt-outs", "--yes").exit_code == 0
    assert addresses(filled) == []
    assert [each["note"] for each in filled.objects("suppression", "changes")[-4:-2]] == ["umowa", "umowa"]


def test_removed_by_filter_starts_anew(filled: Home) -> None:
    """As with an address by itself, the failures before a removal count no more."""
    filled.run("suppression", "remove", "--cause", "hard", "--yes")
    filled.bounce(JAN)
    assert JAN not in addresses(filled)


def test_remove_needs_a_word(filled: Home) -> None:
    """Without address and filter nothing is meant; beside addresses only cause and scope narrow."""
    assert filled.run("suppression", "remove", "--yes").exit_code == 2
    assert filled.run("suppression", "remove", "--including-opt-outs", "--yes").exit_code == 2
    assert filled.run("suppression", "remove", JAN, "--provider", "wp.pl").exit_code == 2
    assert filled.run("suppression", "remove", EWA, "--scope", "global").exit_code == 1
    assert filled.run("suppression", "remove", EWA, "--scope", "list").exit_code == 0


def test_remove_one_of_two_opt_outs(home: Home) -> None:
    """Of two lists that somebody has left, one alone can be taken back."""
    for name in ("l.own.test", "other.own.test"):
        home.run("suppression", "add", EWA, "--scope", f"list:{name}")
    done = home.run("suppression", "remove", EWA, "--scope", "list:Other.own.test")
    assert done.stdout == f"lifted: {EWA} (manual, list other.own.test)\n"
    assert [each["scope_value"] for each in home.objects("suppression", "list")] == ["l.own.test"]


def test_add_from_standard_input(home: Home) -> None:
    """`-` reads addresses one a line; the reason and the scope are those of the options."""
    arguments = ["suppression", "add", "-", JAN, "--reason", "umowa", "--scope", "list:L.own.test", "--expires", "3"]
    done = CliRunner().invoke(main, [*arguments, "--config", str(home.config)], input=f"{EWA}\n\n {OLA} \n")
    assert done.exit_code == 0
    found = home.objects("suppression", "list")
    assert [each["address_key"] for each in found] == [EWA, OLA, JAN]
    assert {(each["scope"], each["scope_value"], each["note"]) for each in found} == {("list", "l.own.test", "umowa")}
    assert all(each["expires_at"] for each in found)
    assert home.run("suppression", "add", JAN, "--scope", "global", "--list", "x").exit_code == 2


KEYS = (
    "seq at operation address address_key scope scope_value cause category class since expires_at by note suppressed "
    "everywhere"
).split()


def told(found: list[dict[str, Any]]) -> list[tuple[str, str, bool]]:
    return [(each["operation"], each["address_key"], each["suppressed"]) for each in found]


def test_changes(filled: Home) -> None:
    """Changes are told in order from a cursor on, each with the keys of the contract and how the address stands now."""
    filled.run("suppression", "remove", JAN)
    every = filled.objects("suppression", "changes")
    assert [list(each) for each in every] == [KEYS] * 5
    assert told(every) == [
        ("add", JAN, False),
        ("add", EWA, True),
        ("add", OLA, True),
        ("add", ADA, True),
        ("remove", JAN, False),
    ]
    first = filled.objects("suppression", "changes", "--limit", "2")
    rest = filled.objects("suppression", "changes", "--since", str(first[-1]["seq"]))
    assert first + rest == every
    assert filled.objects("suppression", "changes", "--since", str(every[-1]["seq"])) == []
    assert filled.run("suppression", "changes", "--since", "99").exit_code == 65
    assert f"remove {JAN} hard global" in filled.run("suppression", "changes").stdout


def test_changes_tell_expiry(filled: Home) -> None:
    """What ran out is told as removed, once."""

    async def run_out(store: Store) -> None:
        connection = await store._writing.connect()
        await connection.exec_driver_sql(
            "UPDATE suppressions SET expires_at = created_at WHERE address_key = ?", (ADA,)
        )
        await connection.commit()
        await connection.close()

    last = filled.objects("suppression", "changes")[-1]["seq"]
    filled.store(run_out)
    (found,) = filled.objects("suppression", "changes", "--since", str(last))
    assert (found["operation"], found["address_key"], found["by"], found["suppressed"]) == (
        "remove",
        ADA,
        "expiry",
        False,
    )
    assert filled.objects("suppression", "changes", "--since", str(found["seq"])) == []
